"""The blueprint of the reports room."""

from flask import Blueprint

bp = Blueprint("reports", __name__, url_prefix="/reports")
