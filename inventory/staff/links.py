"""Addresses that a command prints for a browser: where the clinic is served, as far as its settings tell."""

from typing import Any

from flask import current_app


def outside_address(endpoint: str, **values: Any) -> str:
    """Return the full address of a page, told without a request."""
    config = current_app.config
    host = f"[{config['HOST']}]" if ":" in config["HOST"] else config["HOST"]
    place = f"{host}:{config['PORT']}"
    if config["HTTPS"]:
        place = next(iter(config["TRUSTED_HOSTS"] or []), host)
    adapter = current_app.url_map.bind(place, url_scheme="https" if config["HTTPS"] else "http")
    return adapter.build(endpoint, values, force_external=True)
