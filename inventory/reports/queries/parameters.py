"""What selects a report's rows again: its selection as canonical JSON, ids and days and no words, and back."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from inventory.audit.rules import canonical
from inventory.clinic.models import Site
from inventory.doses.rules.terms import BodySite
from inventory.kernel.db import db
from inventory.reports.queries.selection import SelectedSite, Selection

_IDS = ("giver_id", "patient_id", "formulation_id", "person_id")
_NUMBERS = ("last_look",)


def parameters_of(table_format: str, selection: Selection) -> dict[str, Any]:
    """Return the parameters of a selection. What lets everything through is left out."""
    told: dict[str, Any] = {
        "format": table_format,
        "site_ids": [site.id.hex for site in selection.sites],
        "first_day": selection.first_day.isoformat(),
        "last_day": selection.last_day.isoformat(),
    }
    for name in _IDS:
        value = getattr(selection, name)
        if value is not None:
            told[name] = value.hex
    if selection.patient_ids:
        told["patient_ids"] = [patient_id.hex for patient_id in selection.patient_ids]
    if selection.lot_ids is not None:
        told["lot_ids"] = [lot_id.hex for lot_id in selection.lot_ids]
    if selection.body_site is not None:
        told["body_site"] = selection.body_site.value
    if selection.last_look is not None:
        told["last_look"] = selection.last_look
    if selection.last_numbers:
        told["last_numbers"] = {site_id.hex: number for site_id, number in selection.last_numbers.items()}
    return told


def selection_of(parameters: Mapping[str, Any]) -> Selection:
    """Return the selection that `parameters_of` told."""
    lots = parameters.get("lot_ids")
    body_site = parameters.get("body_site")
    ids = {name: UUID(parameters[name]) for name in _IDS if name in parameters}
    return Selection(
        sites=_sites([UUID(site_id) for site_id in parameters["site_ids"]]),
        first_day=date.fromisoformat(parameters["first_day"]),
        last_day=date.fromisoformat(parameters["last_day"]),
        patient_ids=tuple(UUID(patient_id) for patient_id in parameters.get("patient_ids", ())),
        lot_ids=None if lots is None else tuple(UUID(lot_id) for lot_id in lots),
        body_site=None if body_site is None else BodySite(body_site),
        last_look=parameters.get("last_look"),
        last_numbers={UUID(key): number for key, number in parameters.get("last_numbers", {}).items()},
        **ids,
    )


def written(parameters: Mapping[str, Any]) -> str:
    """Return the parameters as they are kept and hashed."""
    return canonical(parameters)


def digest_of(parameters: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the parameters as they are kept."""
    return hashlib.sha256(written(parameters).encode()).hexdigest()


def read(text: str | None) -> dict[str, Any]:
    """Return what `written` wrote; nothing for a report from before parameters were kept."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _sites(site_ids: list[UUID]) -> tuple[SelectedSite, ...]:
    rows = db.session.execute(
        select(Site.id, Site.code, Site.name, Site.time_zone).where(Site.id.in_(site_ids))
    )
    found = {row.id: SelectedSite(*row) for row in rows}
    return tuple(found[site_id] for site_id in site_ids if site_id in found)
