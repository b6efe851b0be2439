"""Forms keep what was typed, refuse beside the field with a code, and name the act they ask for."""

import re
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, render_template, render_template_string

from inventory.kernel.errors import Refusal, Refusals
from inventory.web.fields import (
    Between,
    ChoiceField,
    CountField,
    DateField,
    DoseField,
    ExpiryField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    TickField,
    VolumeField,
)
from inventory.web.forms import ClinicForm, FilterForm

KEY = "0191d8a0-0000-7000-8000-000000000001"


class DoseForm(ClinicForm):
    name = TextField("Name", [Required("Enter the name.")])
    notes = LongTextField("Notes")
    product = ChoiceField("Product", [Required()], blank="Choose", choices=[("a", "A"), ("b", "B")])
    side = RadioChoiceField("Side", choices=[("LD", "Left"), ("RD", "Right")])
    advice = ManyChoiceField("Advice", choices=[("x", "X"), ("y", "Y")])
    dose = DoseField("Dose")
    volume = VolumeField("Volume")
    count = CountField("Vials", [Between(1, 50)])
    born = DateField("Born", [Between(most=date(2026, 11, 20))])
    expires = ExpiryField("Expiry")
    given_at = LocalTimeField("Given at")
    secret = SecretField("Password")
    seen = TickField("Consent seen")


def sent(app: Flask, **typed: Any) -> DoseForm:
    """The form after it was sent with `typed`, validated."""
    with app.test_request_context("/", method="POST", data=typed):
        form = DoseForm()
        form.validate()
        return form


def codes(form: DoseForm, field: str) -> list[str]:
    return [error.code for error in form[field].errors]  # type: ignore[attr-defined]


def shown(app: Flask, **typed: Any) -> str:
    """The page that comes back after `typed` was refused."""
    with app.test_request_context("/", method="POST", data=typed):
        form = DoseForm()
        form.validate()
        source = (
            '{% extends "layout/plain.html" %}{% from "components/field.html" import field %}'
            '{% from "components/error_summary.html" import error_summary %}{% block title %}T{% endblock %}'
            "{% block content %}{{ error_summary(form) }}{% for f in form %}{{ field(f) }}{% endfor %}{% endblock %}"
        )
        return render_template(app.jinja_env.from_string(source), form=form)


def test_reads_every_kind_of_value(web_app: Flask) -> None:
    form = sent(
        web_app, name=" Ana ", product="a", side="LD", advice=["x", "y"], dose="1,000", volume="0.25", count="25",
        born="1961-03-04", expires="2027-02", given_at="2026-07-01T09:30", secret=" as typed ", seen="y",
    )  # fmt: skip
    assert form.problems() == []
    assert (form.name.data, form.product.data, form.side.data) == ("Ana", "a", "LD")
    assert form.advice.data == ["x", "y"]
    assert (form.dose.data, form.volume.data, form.count.data) == (1_000_000, 250, 25)
    assert (form.born.data, form.expires.data) == (date(1961, 3, 4), date(2027, 2, 28))
    assert form.expires.month_only
    assert form.given_at.data == datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    assert form.secret.data == " as typed "
    assert form.seen.data is True


def test_empty_fields_are_empty_values(web_app: Flask) -> None:
    form = sent(web_app, name="Ana", product="a", dose="", count="", born="", given_at="")
    assert form.problems() == []
    assert form.notes.data == ""
    assert [form[name].data for name in ("dose", "count", "born", "given_at", "side")] == [None] * 5


@pytest.mark.parametrize(
    "field,typed,code",
    [
        ("name", "", "FIELD-REQUIRED"),
        ("name", "   ", "FIELD-REQUIRED"),
        ("name", "a\x00b", "TEXT-CONTROL"),
        ("name", "a\u202eb", "TEXT-CONTROL"),
        ("name", "a" * 10_000, "TEXT-TOO-LONG"),
        ("notes", "a" * 2_001, "TEXT-TOO-LONG"),
        ("product", "", "FIELD-REQUIRED"),
        ("product", "z", "CHOICE-INVALID"),
        ("side", "z", "CHOICE-INVALID"),
        ("advice", "z", "CHOICE-INVALID"),
        ("dose", "1.0001", "AMOUNT-INVALID"),
        ("volume", "0,5", "AMOUNT-INVALID"),
        ("count", "2.5", "NUMBER-INVALID"),
        ("count", "51", "VALUE-RANGE"),
        ("born", "2026-02-31", "DATE-INVALID"),
        ("born", "2026-11-21", "VALUE-RANGE"),
        ("expires", "11/26", "DATE-INVALID"),
        ("given_at", "2026-03-29T01:30", "TIME-NONEXISTENT"),
        ("given_at", "2026-10-25T01:30", "TIME-AMBIGUOUS"),
        ("given_at", "2026-07-01T25:00", "TIME-INVALID"),
    ],
)
def test_refuses_beside_the_field_with_one_code(web_app: Flask, field: str, typed: str, code: str) -> None:
    assert codes(sent(web_app, **{field: typed}), field) == [code]


@pytest.mark.parametrize(
    "field,typed", [("born", "2026-02-31"), ("dose", "1,5"), ("expires", "11/26"), ("count", "x9")]
)
def test_shows_again_what_was_typed(web_app: Flask, field: str, typed: str) -> None:
    page = shown(web_app, **{field: typed})
    assert f'value="{typed}"' in page
    assert 'type="date"' not in page.split(f'id="{field}"')[1][:200]


def test_shows_a_refused_text_without_what_cannot_be_seen(web_app: Flask) -> None:
    assert 'value="Ana Petrova"' in shown(web_app, name="Ana \u202ePetrova")


def test_never_shows_a_password_again(web_app: Flask) -> None:
    assert "hunter2" not in shown(web_app, secret="hunter2")


def test_ties_the_error_to_its_control_and_the_summary_to_the_field(web_app: Flask) -> None:
    page = shown(web_app, count="x", side="z")
    assert 'aria-describedby="count-error"' in page
    assert 'id="count-error"' in page
    assert 'href="#count"' in page
    assert 'href="#side-0"' in page
    assert 'id="side-0"' in page


@pytest.mark.parametrize("which,hour", [("0", 0), ("1", 1)])
def test_asks_which_of_two_equal_readings_was_meant(web_app: Flask, which: str, hour: int) -> None:
    page = shown(web_app, given_at="2026-10-25T01:30")
    assert "01:30 BST (first time)" in page
    assert "01:30 GMT (second time)" in page
    form = sent(web_app, given_at="2026-10-25T01:30", **{"given_at-which": which})
    assert form.given_at.data == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_offer_decides_what_is_accepted(web_app: Flask) -> None:
    with web_app.test_request_context("/", method="POST", data={"name": "Ana", "product": "7"}):
        form = DoseForm()
        form.product.offer([(7, "Seven", {"data-strength-ng": "1000"})])
        assert form.validate()
        assert 'data-strength-ng="1000"' in form.product()


def test_new_page_names_a_new_act(web_app: Flask) -> None:
    with web_app.test_request_context("/"):
        assert DoseForm().key != DoseForm().key


def test_page_sent_again_names_the_same_act(web_app: Flask) -> None:
    assert sent(web_app, request_key=KEY, name="").key == UUID(KEY)


def act_key(app: Flask, path: str = "/", **typed: Any) -> str:
    with app.test_request_context(path, method="POST", data={"request_key": KEY, **typed}):
        return DoseForm().act_key


def test_the_act_is_named_with_a_digest_of_what_was_sent_and_where_to(web_app: Flask) -> None:
    first = act_key(web_app, name="Ana", advice=["x", "y"])
    assert first.startswith(f"{KEY}.")
    assert len(first) == len(KEY) + 1 + 64
    assert first == act_key(web_app, advice=["y", "x"], name="Ana")
    changed = {
        act_key(web_app, name="Anna", advice=["x", "y"]),
        act_key(web_app, name="Ana", advice=["x"]),
        act_key(web_app, "/elsewhere", name="Ana", advice=["x", "y"]),
        act_key(web_app, name="Ana", advice=["x", "y"], count="1"),
    }
    assert first not in changed
    assert len(changed) == 4


def test_no_password_is_in_the_digest(web_app: Flask) -> None:
    plain = act_key(web_app, name="Ana")
    source = "".join(place.read_text() for place in Path(web_app.root_path, "inventory").rglob("forms/*.py"))
    source += "".join(place.read_text() for place in Path(web_app.root_path, "inventory").rglob("forms.py"))
    names = set(re.findall(r"(\w+)\"?(?: =|:) SecretField\(", source))
    assert {"password", "witness_password", "second_password", "current"} <= names
    for name in names | {"csrf_token", "step", "setup_code"}:
        assert act_key(web_app, name="Ana", **{name: "something"}) == plain, name


def test_refuses_a_damaged_key(web_app: Flask) -> None:
    assert codes(sent(web_app, request_key="x'; drop"), "request_key") == ["REQUEST-KEY"]


def test_a_file_under_any_name_is_no_text(web_app: Flask) -> None:
    with web_app.test_request_context("/"):
        names = [field.name for field in DoseForm()]
    for name in names:
        file = {name: (BytesIO(b"a file"), "a.txt")}
        with web_app.test_request_context("/", method="POST", data=file):
            form = DoseForm()
            assert not form.validate()
            assert codes(form, "name") == ["FIELD-REQUIRED"]
            assert render_template_string("{% for f in form %}{{ f() }}{% endfor %}", form=form)


def test_json_is_no_form(web_app: Flask) -> None:
    with web_app.test_request_context("/", method="POST", json={"name": 1, "advice": {"x": 1}}):
        form = DoseForm()
        assert not form.validate()
        assert codes(form, "name") == ["FIELD-REQUIRED"]


def test_puts_a_refusal_beside_its_field(web_app: Flask) -> None:
    form = sent(web_app, name="Ana", product="a")
    form.apply_refusal(
        Refusals([Refusal("LOT-EXPIRED", "Expired.", "product"), Refusal("OTHER", "Whole.", "nowhere")])
    )
    assert [(p.code, p.target) for p in form.problems()] == [("OTHER", ""), ("LOT-EXPIRED", "product")]


def test_filter_form_reads_the_address(web_app: Flask) -> None:
    class Find(FilterForm):
        q = TextField("Name")
        state = ChoiceField("State", blank="Any", choices=[("held", "Held")])

    with web_app.test_request_context("/?q=ana&state=x"):
        form = Find()
        assert not form.validate()
        assert (form.q.data, form.active) == ("ana", True)
    with web_app.test_request_context("/"):
        assert Find().validate()
        assert not Find().active
