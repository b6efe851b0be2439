"""The staff room's blueprint, on which its pages are hung."""

from flask import Blueprint

bp = Blueprint("staff", __name__)
