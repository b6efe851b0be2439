"""The blueprint that every page of stock belongs to."""

from flask import Blueprint

bp = Blueprint("stock", __name__, url_prefix="/stock")
