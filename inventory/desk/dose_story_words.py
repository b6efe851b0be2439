"""How one version of a dose differs from the one before it, in words."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from inventory.doses.models import Dose
from inventory.doses.presenters.dose import amount_words, body_site_words, given_words
from inventory.web.presenting import EMPTY, ml

_FIELDS: tuple[tuple[str, Callable[[Dose], Any]], ...] = (
    ("Patient", lambda dose: f"{dose.patient_name}, {dose.patient_record_number}"),
    ("Product", lambda dose: dose.product_name),
    ("Dose", amount_words),
    ("Volume", lambda dose: ml(dose.volume_ul)),
    ("Body site", lambda dose: body_site_words(dose.body_site)),
    ("Given at", given_words),
    ("Given by", lambda dose: f"{dose.giver_name} {dose.giver_credential}".strip()),
    ("Indication", lambda dose: dose.indication),
    ("Consent", lambda dose: "Seen" if dose.consent_seen else "Not seen"),
    ("Information sheet", lambda dose: dose.information_sheet),
    ("Needle", lambda dose: dose.needle),
    ("Note", lambda dose: dose.note),
)


class Change(NamedTuple):
    """What an amendment changed: the versions before and after it, and each field that differs with both its words."""

    before: Dose
    after: Dose
    fields: Sequence[tuple[str, str, str]]


def changes_of(versions: Sequence[Dose]) -> list[Change]:
    """Return what each amendment changed, in order."""
    return [Change(before, after, _differing(before, after)) for before, after in pairwise(versions)]


def _differing(before: Dose, after: Dose) -> list[tuple[str, str, str]]:
    told = [(name, str(say(before) or EMPTY), str(say(after) or EMPTY)) for name, say in _FIELDS]
    return [row for row in told if row[1] != row[2]]
