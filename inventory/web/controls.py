"""The attributes that tie a control to its label, hint and errors, worked out once for every field."""

from typing import Any

from flask import Flask
from markupsafe import Markup
from wtforms import Field

GROUPS = {"RadioChoiceField", "ManyChoiceField"}
_NUMBERS = {"AmountField", "VolumeField", "DoseField"}


def control(
    field: Field, hint: str = "", suffix: str = "", attributes: dict[str, Any] | None = None
) -> Markup:
    """The field's control, described by its hint, unit and errors, with any further attributes."""
    own: dict[str, Any] = {"class": _css_class(field), **described(field, hint)}
    if suffix:
        own["data-unit"] = suffix
    if field.type in _NUMBERS:
        own |= {"inputmode": "decimal", "autocomplete": "off"}
    if field.type == "CountField":
        own |= {"inputmode": "numeric", "autocomplete": "off"}
    if kind := getattr(field, "input_type", None):
        own["type"] = kind
    return Markup(field(**{**own, **_plain(attributes or {})}))  # noqa: S704 -- WTForms escapes its attributes


def described(field: Field, hint: str = "") -> dict[str, Any]:
    """The ARIA attributes that name the hint and the errors shown with `field`."""
    said_by = [f"{field.id}-hint"] * bool(hint) + [f"{field.id}-error"] * bool(field.errors)
    return {
        **({"aria-describedby": " ".join(said_by)} if said_by else {}),
        **({"aria-invalid": "true"} if field.errors else {}),
    }


def _css_class(field: Field) -> str:
    if field.type in {"ChoiceField", "SelectField"}:
        base = "form-select"
    else:
        base = "form-check-input" if field.type == "TickField" else "form-control"
    return f"{base} is-invalid" if field.errors else base


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """Template keywords as HTML attributes: `data_strength_ng` is `data-strength-ng`."""
    return {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}


def target_of(field: Field) -> str:
    """The id to go to for `field`: of a group, its first answer."""
    return f"{field.id}-0" if field.type in GROUPS else str(field.id)


def init_app(app: Flask) -> None:
    """Let the field component ask for controls."""
    app.jinja_env.globals.update(control=control, described=described)
