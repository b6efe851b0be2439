"""The blueprint of the patients' pages."""

from flask import Blueprint

bp = Blueprint("patients", __name__, url_prefix="/patients")
