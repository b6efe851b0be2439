"""Walks the clinic as a person would, from link to link, at most a few pages of each kind."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from flask import Flask
from sqlalchemy import select

from inventory.kernel.db import db
from inventory.staff.models import User
from tests.support.page_checks import Page

ACCOUNTS = ("nurse", "prescriber", "manager", "auditor", "admin")
PAGES_OF_A_KIND = 2


class Walk:
    """A walk that begins at `/`: take the next address, then tell the page that stood there."""

    def __init__(self, app: Flask) -> None:
        self._rules = app.url_map.bind("localhost")
        self._visits: Counter[str] = Counter()
        self._waiting = deque(["/"])
        self._known = {"/"}

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            yield self._waiting.popleft()

    def read(self, path: str, html: str) -> None:
        """Note where the links of a page lead. Raises NotFound for a link that no route answers."""
        for link in Page(html).links:
            address = urlsplit(urljoin(f"http://localhost{path}", link))
            if address.netloc == "localhost":
                self._note(address.path + (f"?{address.query}" if address.query else ""), address.path)

    def _note(self, target: str, path: str) -> None:
        endpoint, _ = self._rules.match(path, method="GET")
        if target in self._known or endpoint == "static" or self._visits[endpoint] >= PAGES_OF_A_KIND:
            return
        self._visits[endpoint] += 1
        self._known.add(target)
        self._waiting.append(target)


def account(username: str) -> User:
    """Return an account of the demo clinic."""
    return db.session.scalars(select(User).where(User.username == username)).one()
