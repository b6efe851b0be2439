"""What a job is to make, as it is kept: what was asked, and the sites at which whoever asked worked then, as JSON."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from inventory.audit.rules import canonical
from inventory.doses.rules.terms import BodySite
from inventory.reports.queries.requests import Asked

FORGOTTEN = "{}"
"""What is kept of what was asked once it is not to be known any more."""


class Request(NamedTuple):
    """What a job is to make, and the sites at which whoever asked worked then; None is every site."""

    asked: Asked
    site_ids: frozenset[UUID] | None


def written(asked: Asked, site_ids: frozenset[UUID] | None) -> str:
    """Return the parameters of a job, as they are kept. What lets everything through is left out."""
    sites = None if site_ids is None else sorted(site_id.hex for site_id in site_ids)
    told = {name: value for name, value in asdict(asked).items() if value not in (None, "", False)}
    plain = {
        name: value.hex if isinstance(value, UUID) else value if value is True else str(value)
        for name, value in told.items()
    }
    return canonical({"asked": plain, "site_ids": sites})


def request_of(parameters: str) -> Request:
    """Return what `written` wrote."""
    told = json.loads(parameters)
    sites = told["site_ids"]
    asked = Asked(**{name: _READ.get(name, str)(value) for name, value in told["asked"].items()})
    return Request(asked, None if sites is None else frozenset(UUID(one) for one in sites))


_READ: Mapping[str, Callable[[Any], Any]] = {
    "first_day": date.fromisoformat,
    "last_day": date.fromisoformat,
    "giver_id": UUID,
    "formulation_id": UUID,
    "person_id": UUID,
    "recall_id": UUID,
    "body_site": BodySite,
    "by_part": bool,
}
