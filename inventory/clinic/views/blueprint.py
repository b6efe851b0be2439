"""The clinic room's blueprint, on which its pages are hung."""

from flask import Blueprint

bp = Blueprint("clinic", __name__)
