"""The door for servers and for the `flask` command: one application from the environment, with the commands that run it."""

import os
import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import SettingError, load_config
from inventory.app import create_app
from inventory.server import prepare_command, serve_command

try:
    app = create_app(load_config(os.environ))
except SettingError as error:
    sys.exit(f"Error: {error}")

app.cli.add_command(serve_command)
app.cli.add_command(prepare_command)


def behind_proxy() -> Flask:
    """Return the application for gunicorn behind a TLS proxy: `gunicorn 'wsgi:behind_proxy()'`.

    It believes one proxy's X-Forwarded-For, -Proto and -Host, so only that proxy may be able to reach the server. `flask
    serve` does not need this: waitress believes the address in TRUSTED_PROXY alone.
    """
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    return app
