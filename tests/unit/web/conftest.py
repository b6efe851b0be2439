"""A small application with the web room alone: no database, one signed-in person who may read stock."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin

from inventory import web
from inventory.app import ROOT
from inventory.kernel.permissions import Permission


class Person(UserMixin):
    id = "1"
    display_name = "Nora Nightingale"

    def can(self, permission: Permission) -> bool:
        return permission in {Permission.OWN_ACCOUNT, Permission.STOCK_READ}


@pytest.fixture
def web_app() -> Flask:
    """The web room with sign-in by the header `X-Person`; tests add the views they need."""
    app = Flask("inventory", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.update(SECRET_KEY="for this test only", WTF_CSRF_ENABLED=False, SITE_ZONE="Europe/London")
    login = LoginManager(app)
    login.login_view = "sign_in"
    login.request_loader(lambda request: Person() if request.headers.get("X-Person") else None)
    web.init_app(app)
    return app


@pytest.fixture
def visitor(web_app: Flask) -> FlaskClient:
    return web_app.test_client()
