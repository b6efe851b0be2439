"""Walks the clinic as a person would, from link to link, at most a few pages of each kind."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from inventory.kernel.db import db
from inventory.staff import queries
from inventory.staff.models import User
from tests.support.page_checks import Page

ACCOUNTS = ("nurse", "prescriber", "manager", "auditor", "admin")


class Walk:
    """A walk that begins at one address: take the next, then tell the page that stood there. Ends where nothing new is left."""

    def __init__(self, app: Flask, *, pages_of_a_kind: int, start: str = "/") -> None:
        self.broken: dict[str, str] = {}
        self._pages_of_a_kind = pages_of_a_kind
        self._routes = app.url_map.bind("localhost")
        self._visits: Counter[str] = Counter()
        self._waiting = deque([start])
        self._known = {start}

    def __iter__(self) -> Iterator[str]:
        while self._waiting:
            yield self._waiting.popleft()

    def read(self, path: str, html: str) -> None:
        """Note where the links of a page lead; those that lead nowhere are in `broken`, with the first page they stood on."""
        for link in Page(html).links:
            self.follow(path, link)

    def follow(self, path: str, link: str) -> None:
        """Note where one link on the page at `path` leads."""
        address = urlsplit(urljoin(f"http://localhost{path}", link))
        if address.netloc != "localhost":
            return
        try:
            endpoint, _ = self._routes.match(address.path, method="GET")
        except HTTPException:
            self.broken.setdefault(address.path, path)
            return
        self._wait_for(endpoint, address.path + (f"?{address.query}" if address.query else ""))

    def _wait_for(self, endpoint: str, target: str) -> None:
        if target in self._known or endpoint == "static" or self._visits[endpoint] >= self._pages_of_a_kind:
            return
        self._visits[endpoint] += 1
        self._known.add(target)
        self._waiting.append(target)


def account(username: str) -> User:
    """Return an account of the demo clinic."""
    return queries.person(db.session.scalars(select(User.id).where(User.username == username)).one())
