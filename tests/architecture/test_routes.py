"""Least sight: every route names its permission or says why it is public, and keeps to it for every role and for nobody."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import (
    AnyConverter,
    BaseConverter,
    FloatConverter,
    IntegerConverter,
    Rule,
    UUIDConverter,
)

from inventory.clinic.sight import OWNERS
from inventory.kernel.permissions import ROLE_PERMISSIONS, SYSTEM_ACTOR, Permission, Role
from inventory.staff.services import Bounds, set_access
from inventory.web.access import Access, permission_of
from tests.factories.clinic import make_site
from tests.factories.staff import make_user
from tests.support.client import CheckingClient

PUBLIC = {
    "static",
    "staff.sign_in",
    "staff.sign_out",
    "staff.link",
    "clinic.first_visit",
    "interop.feed",
}
"""Opening a page to everybody is decided here too."""

OF_THE_CLINIC = {
    "alert_id",
    "authority_id",
    "feed_id",
    "file_format",
    "filename",
    "finding_code",
    "fingerprint",
    "formulation_id",
    "item_id",
    "job_id",
    "kind",
    "lot_id",
    "number",
    "patient_id",
    "product_id",
    "protocol_id",
    "recall_id",
    "result_id",
    "score_id",
    "session_id",
    "supplier_id",
    "table_name",
    "token",
    "user_id",
}
"""What a route's address may name that belongs to no site; a recall goes over all of them, a job is its asker's alone, and a number is a revision of a report."""

OPEN_TO_SOME_DAYS = {
    "audit.access",
    "audit.auditors",
    "audit.entry",
    "audit.index",
    "desk.chart",
    "desk.patient",
    "desk.story",
    "doses.dose",
    "doses.incident",
    "doses.incidents",
    "doses.index",
    "doses.not_given_record",
    "doses.reaction",
    "doses.reaction_signals",
    "doses.reaction_signals_file",
    "doses.reactions",
    "interop.export",
    "interop.exports",
    "patients.index",
    "patients.labs_list",
    "patients.scores_list",
    "patients.search",
    "reports.certificate",
    "reports.download",
    "reports.download_reconciliation",
    "reports.index",
    "reports.keys",
    "reports.new",
    "reports.new_reconciliation",
    "reports.reconciliation",
    "reports.reconciliations",
    "reports.review",
    "reports.revision",
    "reports.show",
    "reports.verify",
}
"""Besides those about one's own account, what keeps to the days of an auditor who sees some days only is decided here too."""

AUDITOR_SENDS = {
    "clinic.choose_site": "which site's lists they read",
    "desk.recall_report": "the report of a recall, as any report",
    "doses.incident": "refused by the act itself: a prescriber closes incidents",
    "patients.search": "a search, sent so that no name stands in an address",
    "reports.new": "a report, which writes its entry in the register and nothing of what it tells",
    "reports.new_reconciliation": "the same of the stock",
    "reports.jobs.cancel": "a report that they asked for themselves",
    "reports.review": "that they reviewed or approved a report: their signature is what they are let in for",
    "reports.verify": "a file to be checked, which is read and forgotten",
    "staff.change_password": "their own password",
    "staff.end_other_sessions": "their own sessions",
    "staff.end_own_session": "their own session",
    "staff.link": "the way in",
    "staff.sign_in": "the way in",
    "staff.sign_out": "the way out",
    "clinic.first_visit": "shut once the clinic has people",
}
"""All that an auditor may send; every other form is refused to them."""

NOT_THERE = UUID("01890000-0000-7000-8000-000000000000")
OPEN_ANSWERS = {200, 302, 303}
NOTHING_THERE = {404, 410, 422}


def access_of(app: Flask, rule: Rule) -> Access:
    found = permission_of(app.view_functions[rule.endpoint])
    assert found is not None, (
        f"{rule.rule} ({rule.endpoint}) declares no permission and does not say it is public"
    )
    return found


def made_up(converter: BaseConverter) -> object:
    if isinstance(converter, UUIDConverter):
        return NOT_THERE
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, IntegerConverter | FloatConverter) else "nothing"


def paths(app: Flask, method: str) -> Iterator[tuple[Rule, str]]:
    """Every route of `method` with an address; where it takes arguments, of something that does not exist."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()) and rule.endpoint != "static":
            arguments = {name: made_up(rule._converters[name]) for name in rule.arguments}
            yield rule, adapter.build(rule.endpoint, arguments, method=method)


@pytest.fixture
def clinic(app: Flask, at: object) -> Flask:
    """A clinic with a site and somebody in it, but nothing else."""
    make_site()
    make_user(roles=Role.ADMIN)
    return app


def test_every_route_declares_who_may_use_it(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        access = access_of(app, rule)
        assert access.permissions or not access.needs_sign_in
        if not access.needs_sign_in:
            assert len(access.why.split()) > 2, f"{rule.endpoint} is public without a reason"


def test_what_is_public_was_decided(app: Flask) -> None:
    found = {rule.endpoint for rule in app.url_map.iter_rules() if not access_of(app, rule).needs_sign_in}
    assert found == PUBLIC


def test_every_argument_of_a_route_belongs_to_sites_or_to_the_whole_clinic(app: Flask) -> None:
    named = {name for rule in app.url_map.iter_rules() for name in rule.arguments}
    assert named - set(OWNERS) - OF_THE_CLINIC == set(), "say in the room's belonging.py whose it is"
    assert not set(OWNERS) & OF_THE_CLINIC


def test_every_permission_is_somebodys() -> None:
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)


def test_auditor_has_no_permission_that_writes() -> None:
    writing = {one for one in Permission if not one.endswith("-read")}
    # Issuing a report writes its entry in the register, and a signature is appended to it: nothing of what it tells is written.
    issuing = {
        Permission.REPORT_ISSUE,
        Permission.STOCK_RECONCILE,
        Permission.REPORT_REGISTER,
        Permission.REPORT_SIGN,
    }
    assert ROLE_PERMISSIONS[Role.AUDITOR] & writing == {Permission.OWN_ACCOUNT, *issuing}


@pytest.mark.parametrize("role", list(Role))
def test_role_opens_what_its_permissions_name_and_nothing_else(
    clinic: Flask, signed_in_client: Callable[..., CheckingClient], role: Role
) -> None:
    client = signed_in_client(role)
    wrong = []
    for rule, path in paths(clinic, "GET"):
        access = access_of(clinic, rule)
        may = all(client.actor.can(permission) for permission in access.permissions)
        expected = (OPEN_ANSWERS | (NOTHING_THERE if rule.arguments else set())) if may else {403}
        status = client.get(path).status_code
        if status not in expected:
            wrong.append(f"{path} answered {status}, not {sorted(expected)}")
    assert wrong == []


def test_nobody_opens_nothing_but_what_is_public(clinic: Flask, client: CheckingClient) -> None:
    wrong = []
    for rule, path in paths(clinic, "GET"):
        if access_of(clinic, rule).needs_sign_in:
            answer = client.get(path)
            if answer.status_code != 302 or not answer.headers["Location"].startswith("/sign-in"):
                wrong.append(f"{path} answered {answer.status_code}")
    assert wrong == []


def test_nothing_is_posted_without_the_forms_token(
    clinic: Flask, signed_in_client: Callable[..., CheckingClient]
) -> None:
    client = signed_in_client(*set(Role) - {Role.AUDITOR})
    found = {path: client.post(path).status_code for _, path in paths(clinic, "POST")}
    assert {path: status for path, status in found.items() if status != 400} == {}


@pytest.mark.parametrize("role", list(Role))
def test_role_posts_nothing_that_its_permissions_do_not_name(
    clinic: Flask, signed_in_client: Callable[..., CheckingClient], role: Role
) -> None:
    client = signed_in_client(role)
    token = {"csrf_token": client.form("/account").fields["csrf_token"][0]}
    refused = {
        path: client.post(path, data=token).status_code
        for rule, path in paths(clinic, "POST")
        if not all(client.actor.can(permission) for permission in access_of(clinic, rule).permissions)
    }
    assert refused
    assert {path: status for path, status in refused.items() if status != 403} == {}


def test_an_auditor_sends_nothing_but_what_is_listed(
    clinic: Flask, signed_in_client: Callable[..., CheckingClient]
) -> None:
    client = signed_in_client(Role.AUDITOR)
    token = {"csrf_token": client.form("/account").fields["csrf_token"][0]}
    answers = {
        rule.endpoint: client.post(path, data=token).status_code
        for rule, path in paths(clinic, "POST")
        if rule.endpoint not in AUDITOR_SENDS
    }
    assert len(answers) > 50
    assert {endpoint for endpoint, status in answers.items() if status != 403} == set()
    assert set(AUDITOR_SENDS) <= {rule.endpoint for rule, _ in paths(clinic, "POST")}


def test_who_sees_some_days_only_opens_what_keeps_to_them_and_nothing_else(
    clinic: Flask, signed_in_client: Callable[..., CheckingClient], at: datetime
) -> None:
    user = make_user(roles=Role.AUDITOR)
    set_access(
        actor=SYSTEM_ACTOR,
        at=at,
        user_id=user.id,
        version=user.version,
        bounds=Bounds(records_from=date(2026, 3, 1)),
    )
    client = signed_in_client(user=user)
    own = {Permission.OWN_ACCOUNT}
    opened = {
        rule.endpoint
        for rule, path in paths(clinic, "GET")
        if access_of(clinic, rule).needs_sign_in
        and set(access_of(clinic, rule).permissions) != own
        and client.get(path).status_code != 403
    }
    assert opened == OPEN_TO_SOME_DAYS


@pytest.mark.parametrize("path", ["/", "/sign-in", "/no-such-page", "/staff"])
def test_every_answer_carries_the_headers(clinic: Flask, client: CheckingClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
