"""How the patient's record words a dose's marks, a body site's use and an edit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.desk.record_queries import SiteUse
from inventory.doses.models import Dose, DoseVoid
from inventory.doses.rules.terms import (
    BODY_SITE_WORDS,
    NOT_GIVEN_WORDS,
    VOID_KIND_WORDS,
    BodySite,
    NotGivenReason,
    VoidKind,
)
from inventory.patients.models import SYMPTOMS, AlertKind, AllergyStatus, ConsentStatus, RecordState
from inventory.patients.presenters import State
from inventory.patients.terms import ALERT_WORDS, ALLERGY_WORDS, CONSENT_WORDS, FIELD_WORDS, STATE_WORDS
from inventory.web.presenting import EMPTY

ACTION_WORDS = {
    "patients.add": "Added",
    "patients.edit": "Edited",
    "patients.set-allergies": "Asked for allergies",
    "patients.add-alert": "Alert added",
    "patients.resolve-alert": "Alert resolved",
    "patients.record-consent": "Consent recorded",
    "patients.import": "Imported",
    "patients.record-labs": "Results recorded",
    "patients.correct-lab": "Result corrected",
    "patients.retract-lab": "Result retracted",
    "patients.record-scores": "Scores recorded",
    "patients.correct-scores": "Scores corrected",
    "patients.retract-scores": "Scores retracted",
    "patients.answer-checklist": "Checklist answered",
    "patients.set-background": "Groups and indication noted",
    "patients.merge": "Another record was merged into this one",
    "patients.merge-of": "Merged into another record",
    "patients.undo-merge": "A merge into this record was undone",
    "patients.undo-merge-of": "Stands apart from the other record again",
    "patients.set-state": "State changed",
}
_PARTS = (
    ("Arm (deltoid)", "LD", "RD"),
    ("Thigh (vastus lateralis)", "LVL", "RVL"),
    ("Hip (ventrogluteal)", "LVG", "RVG"),
    ("Buttock (dorsogluteal)", "LG", "RG"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an edit: before and after, as they are read."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of the history."""

    title: str
    at: datetime
    by: str
    seq: int
    changes: tuple[Change, ...]
    words: str


def marks(dose: Dose, void: DoseVoid | None, amended: Mapping[Any, str]) -> list[State]:
    """Return what must be seen beside a dose: void, amended, deviation, late. Nothing for an ordinary one."""
    found = []
    if void:
        replaced = void.kind == VoidKind.AMENDED
        found.append(State("Replaced by an amended entry" if replaced else "Void", "stop"))
    if dose.amends_id:
        found.append(State(f"Amends {amended.get(dose.amends_id, 'another dose')}", "info"))
    if dose.is_deviation:
        found.append(State("Deviation", "stop"))
    if dose.is_late:
        found.append(State("Late entry", "attention"))
    return found


def void_words(void: DoseVoid) -> str:
    """Return why a dose is void."""
    return f"{VOID_KIND_WORDS[VoidKind(void.kind)]}. {void.reason}"


def site_words(site: str) -> str:
    """Return a body site as it is said."""
    return BODY_SITE_WORDS[BodySite(site)]


def reason_words(reason: str) -> str:
    """Return why a dose was not given."""
    return NOT_GIVEN_WORDS[NotGivenReason(reason)]


def pairs(uses: list[SiteUse]) -> list[tuple[str, SiteUse | None, SiteUse | None]]:
    """Return the body sites as the body has them: one row a part, left and right beside each other."""
    by_code = {use.site.value: use for use in uses}
    rows = [(name, by_code.get(left), by_code.get(right)) for name, left, right in _PARTS]
    return [row for row in rows if row[1] or row[2]]


def edit_of(row: Any) -> Edit:
    """Return an entry of the trail as the record's history shows it."""
    facts = _facts(row.payload)
    before, after = facts.get("before") or {}, facts.get("after") or {}
    is_new = row.action == "patients.add"
    changed = (
        ()
        if is_new
        else tuple(
            Change(FIELD_WORDS.get(name, name), _said(name, before.get(name)), _said(name, value))
            for name, value in after.items()
        )
    )
    return Edit(
        ACTION_WORDS.get(row.action, row.action),
        row.recorded_at,
        row.display_name,
        row.seq,
        changed,
        _words(facts),
    )


def _facts(payload: str) -> dict[str, Any]:
    """Return the facts of a payload; none where somebody damaged it, which verification names."""
    try:
        facts = json.loads(payload)["facts"]
    except (ValueError, LookupError, TypeError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _words(facts: Mapping[str, Any]) -> str:
    """Return the rest of what an entry says, in one line."""
    said = []
    if facts.get("kind") in set(AlertKind):
        said.append(ALERT_WORDS[AlertKind(facts["kind"])])
    if facts.get("status") in set(ConsentStatus):
        said.append(CONSENT_WORDS[ConsentStatus(facts["status"])])
    said += [str(result) for result in facts.get("results") or ()]
    said += [f"{FIELD_WORDS[name]} {facts[name]}" for name in SYMPTOMS if facts.get(name) is not None]
    said += [str(title) + f": {answer}" for title, answer, _ in facts.get("answers") or ()]
    said += [str(facts[name]) for name in ("information_sheet", "note", "reason") if facts.get(name)]
    return " · ".join(said)


def _said(name: str, value: Any) -> str:
    if name == "allergy_status" and value in set(AllergyStatus):
        return ALLERGY_WORDS[AllergyStatus(value)]
    if name == "state" and value in set(RecordState):
        return STATE_WORDS[RecordState(value)]
    return str(value) if value not in (None, "") else EMPTY
