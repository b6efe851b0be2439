"""The doses room's blueprint, on which its pages are hung."""

from flask import Blueprint

bp = Blueprint("doses", __name__)
