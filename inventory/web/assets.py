"""Addresses of static files that change when the file changes, so that a browser may keep them."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for


def asset(path: str) -> str:
    """The address of `static/<path>` with a version made from its content. Raises FileNotFoundError."""
    file = Path(str(current_app.static_folder)) / path
    return url_for("static", filename=path, v=_version((file, file.stat().st_mtime_ns)))


@lru_cache(maxsize=256)
def _version(file_as_changed: tuple[Path, int]) -> str:
    """Ten hex digits of the content's hash; read again only when the file has changed."""
    return hashlib.sha256(file_as_changed[0].read_bytes()).hexdigest()[:10]


def init_app(app: Flask) -> None:
    """Let templates name files by `asset('css/clinic.css')`."""
    app.jinja_env.globals["asset"] = asset
