"""The headers that every answer carries.

Law kept here: least sight. Nothing runs or loads that this site did not serve, no page is framed,
and no page about the clinic stays in a cache.
"""

from flask import Flask, current_app, request
from werkzeug.wrappers import Response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'"
)
FIXED = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR = 365 * 24 * 60 * 60


def add_headers(response: Response) -> Response:
    """Set every header; a static file asked for by its version may be kept, nothing else."""
    for name, value in FIXED.items():
        response.headers.setdefault(name, value)
    if current_app.config.get("SESSION_COOKIE_SECURE"):
        response.headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    response.headers["Cache-Control"] = _cache_control(response)
    return response


def _cache_control(response: Response) -> str:
    if request.endpoint != "static" or response.status_code not in {200, 206, 304}:
        return "no-store"
    return f"public, max-age={_YEAR}, immutable" if "v" in request.args else "no-cache"


def init_app(app: Flask) -> None:
    """Put the headers on every answer, error pages too."""
    app.after_request(add_headers)
