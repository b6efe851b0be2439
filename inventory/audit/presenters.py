"""How the trail is worded: actions as sentences, facts as before and after."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from inventory.web.presenting import EMPTY, day, local_time, mcg, ml


class Fact(NamedTuple):
    """One fact of an entry; `before` is None where the fact has no past."""

    name: str
    before: str | None
    after: str


def action_words(action: str) -> str:
    """Return an action as it is read: `patients.add-alert` is "Patients: add alert"."""
    room, _, verb = action.partition(".")
    verb = "list" if verb == "index" else verb
    return (
        f"{room.replace('-', ' ').capitalize()}: {verb.replace('-', ' ').replace('_', ' ')}"
        if verb
        else action
    )


def field_words(name: str) -> str:
    """Return a fact's name as it is read: `born_on` is "Born on", `volume_ul` is "Volume"."""
    bare = name.removesuffix("_ul").removesuffix("_ng")
    return bare.replace("_", " ").replace("-", " ").capitalize()


def changes(facts: Mapping[str, Any]) -> list[Fact]:
    """Return what an edit changed, before and after."""
    before, after = _mapping(facts.get("before")), _mapping(facts.get("after"))
    return [
        Fact(
            field_words(name),
            _said(name, before[name]) if name in before else None,
            _said(name, after.get(name)),
        )
        for name in dict.fromkeys([*before, *after])
    ]


def other_facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return every other fact of an entry."""
    skipped = {name for name in ("before", "after") if isinstance(facts.get(name), Mapping)}
    return [(field_words(name), _said(name, value)) for name, value in facts.items() if name not in skipped]


def witnessed(payload: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows that an entry witnesses: table, key, digest."""
    rows = _mapping(payload.get("rows"))
    return [
        (table, key, str(digest))
        for table, digests in rows.items()
        for key, digest in _mapping(digests).items()
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _said(name: str, value: Any) -> str:
    """Return a fact's value as it is read: amounts in mL and mcg, instants on the site's clock."""
    if value in (None, "", [], {}):
        return EMPTY
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int) and name.endswith(("_ul", "_ng")):
        return ml(value) if name.endswith("_ul") else mcg(value)
    if isinstance(value, list):
        return "; ".join(_said(name, item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{field_words(key).lower()} {_said(key, item)}" for key, item in value.items())
    return _dated(name, str(value))


def _dated(name: str, text: str) -> str:
    try:
        if name.endswith("_at"):
            return local_time(datetime.fromisoformat(text))
        if name.endswith("_on"):
            return day(date.fromisoformat(text))
    except ValueError:
        return text
    return text
