"""The blueprint of what leaves the clinic by browser: exports and calendar feeds."""

from flask import Blueprint

bp = Blueprint("interop", __name__, url_prefix="/exports")
