"""The blueprint of the pages that look across rooms."""

from flask import Blueprint

bp = Blueprint("desk", __name__)
