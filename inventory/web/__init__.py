"""What every page shares: access, forms, errors, headers, the menu, and how values are worded.

Law kept here: least sight. `init_app` is called once, after the rooms below have set up the
database and before any room registers a page.
"""

from flask import Flask
from flask_wtf import CSRFProtect

from inventory.web import access, assets, controls, errors, headers, navigation
from inventory.web.pagination import page_address
from inventory.web.presenting import FILTERS, clinic_name, site_today, site_zone

csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Protect every form, check access on every request, and teach the templates our words."""
    csrf.init_app(app)
    for part in (access, assets, controls, errors, headers, navigation):
        part.init_app(app)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        clinic_name=clinic_name, page_address=page_address, site_today=site_today, site_zone=site_zone
    )
