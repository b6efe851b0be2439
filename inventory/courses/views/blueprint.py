"""The blueprint that every page of the room hangs on."""

from flask import Blueprint

bp = Blueprint("courses", __name__)
