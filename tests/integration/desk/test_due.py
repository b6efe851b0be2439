"""The due list and its calendar: who stands on it, in what order, with what to watch, and who may see it."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from inventory.audit.models import AccessEntry
from inventory.courses.rules.terms import SlotState
from inventory.doses.presenters.due import due_line
from inventory.doses.queries.due import Wanted, due_counts, due_list, due_page
from inventory.doses.rules.due import Due
from inventory.kernel.db import db
from inventory.kernel.permissions import SYSTEM_ACTOR, Role
from inventory.patients.models import AlertKind, ConsentStatus
from inventory.patients.services import add_alert, merge_records, record_consent
from inventory.staff.queries import person
from inventory.staff.services import set_sites
from tests.factories.catalogue import make_formulation, make_product
from tests.factories.clinic import make_site
from tests.factories.doses import Bench
from tests.factories.due import make_due, slot
from tests.factories.patients import make_patient
from tests.factories.staff import make_user
from tests.factories.stock import make_delivery
from tests.support.client import CheckingClient

Client = Callable[..., CheckingClient]
TODAY = date(2026, 3, 16)


def text(client: CheckingClient, path: str = "/due", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return " ".join(answer.get_data(as_text=True).split())


def names(page: str) -> list[str]:
    """The patients in the order of the page; each is named first by the link to their record."""
    return re.findall(r'href="/patients/[0-9a-f-]+">([^<]+)</a>', page)


def due_in(days: int, family_name: str, bench: Bench, **more: object) -> None:
    patient_id = make_patient(family_name=family_name)
    make_due(
        patient_id,
        site_id=bench.place.site_id,
        due_on=TODAY + timedelta(days=days),
        **more,  # type: ignore[arg-type]
    )


def wanted(bench: Bench, last_on: date = TODAY + timedelta(days=14)) -> Wanted:
    return Wanted(site_ids=[bench.place.site_id], last_on=last_on)


def test_lists_the_overdue_first_then_today_then_the_next_two_weeks(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    for days, name in ((0, "Today"), (14, "Last"), (15, "Toolate"), (-40, "Overdue"), (3, "Soon")):
        due_in(days, name, bench)
    nurse = signed_in_client(Role.PRACTITIONER)
    assert [name.split(",")[0] for name in names(text(nurse))] == ["Overdue", "Today", "Soon", "Last"]
    assert [name.split(",")[0] for name in names(text(nurse, "/due?when=overdue"))] == ["Overdue"]
    assert [name.split(",")[0] for name in names(text(nurse, "/due?when=today"))] == ["Today"]
    assert [name.split(",")[0] for name in names(text(nurse, "/due?when=next"))] == ["Soon", "Last"]
    assert [name.split(",")[0] for name in names(text(nurse, "/due?on=2026-03-31"))] == ["Toolate"]
    counts = due_counts(db.session(), wanted(bench), today=TODAY)
    assert counts == {Due.OVERDUE: 1, Due.TODAY: 1, Due.NEXT: 2}


def test_says_what_is_due_since_when_and_what_was_given_last(app: Flask, at: datetime) -> None:
    bench = Bench()
    bench.give()
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY + timedelta(days=30))
    [row] = due_list(db.session(), wanted(bench, TODAY + timedelta(days=40)), at=at)
    line = due_line(row, TODAY + timedelta(days=33))
    assert (line.due_words, line.when) == ("overdue by 3 days", Due.OVERDUE)
    assert (line.dose, line.what, line.window) == ("1,000 mcg", "Cyanocobalamin", "13 Apr to 17 Apr 2026")
    assert line.last == "16 Mar 2026, 1,000 mcg, Left arm (deltoid)"


def test_a_void_dose_is_no_last_dose(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench = Bench()
    dose = bench.give()
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    signed_in_client(Role.PRESCRIBER).submit(
        f"/doses/{dose.id}/void", {"kind": "never_opened", "reason": "Typed for another patient."}
    )
    [row] = due_list(db.session(), wanted(bench), at=at)
    assert due_line(row, TODAY).last == "—"


def test_shows_the_one_thing_to_watch_and_how_many_more(app: Flask, at: datetime) -> None:
    bench = Bench()
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    watch = due_line(due_list(db.session(), wanted(bench), at=at)[0], TODAY)
    assert watch.watch is not None
    assert (watch.watch.words, watch.more_to_watch) == ("No consent recorded", 1)
    record_consent(
        actor=SYSTEM_ACTOR,
        at=at,
        patient_id=bench.patient_id,
        status=ConsentStatus.GIVEN,
        decided_at=at,
        information_sheet="B12, version 3",
    )
    for kind in (AlertKind.BLEEDING_RISK, AlertKind.LEBERS_OPTIC_ATROPHY):
        add_alert(actor=SYSTEM_ACTOR, at=at, patient_id=bench.patient_id, kind=kind, note="said today")
    watch = due_line(due_list(db.session(), wanted(bench), at=at)[0], TODAY)
    assert watch.watch is not None
    assert (watch.watch.words, watch.watch.tone, watch.more_to_watch) == ("Leber's optic atrophy", "stop", 2)


def test_tells_what_any_record_of_the_person_says(app: Flask, at: datetime) -> None:
    bench, other = Bench(), make_patient(family_name="Another card")
    given = Bench(patient_id=other).give(at=at)
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    add_alert(
        actor=SYSTEM_ACTOR, at=at, patient_id=other, kind=AlertKind.LEBERS_OPTIC_ATROPHY, note="said today"
    )
    merge_records(actor=SYSTEM_ACTOR, at=at, kept_id=bench.patient_id, merged_id=other, reason="Same card")
    [row] = due_list(db.session(), wanted(bench), at=at)
    watch = due_line(row, TODAY).watch
    assert watch is not None
    assert (watch.words, row.last_given_on) == ("Leber's optic atrophy", given.given_on)


def test_narrows_by_formulation_patient_and_site(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench, north = Bench(), make_site("NORTH", locations=())
    hydroxo = make_formulation(name="Hydroxocobalamin")
    patient_id = make_patient(family_name="Hydroxo", record_number="H-7")
    make_due(patient_id, site_id=bench.place.site_id, due_on=TODAY, formulation_id=hydroxo)
    due_in(0, "Cyano", bench)
    make_due(make_patient(family_name="Northern"), site_id=north.id, due_on=TODAY)
    nurse = signed_in_client(Role.PRACTITIONER)
    assert [one.split(",")[0] for one in names(text(nurse))] == ["Hydroxo", "Cyano"]
    assert [one.split(",")[0] for one in names(text(nurse, f"/due?formulation_id={hydroxo}"))] == ["Hydroxo"]
    assert [one.split(",")[0] for one in names(text(nurse, "/due?record_number=h-7"))] == ["Hydroxo"]
    assert [one.split(",")[0] for one in names(text(nurse, f"/due?site={north.id}"))] == ["Northern"]
    assert len(names(text(nurse, "/due?site=all"))) == 3
    assert "CHOICE-INVALID" in text(nurse, f"/due?site={hydroxo}", status=422)


def test_who_works_at_one_site_sees_its_list_only(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench, north = Bench(), make_site("NORTH", locations=())
    due_in(0, "Mainly", bench)
    make_due(make_patient(family_name="Northern"), site_id=north.id, due_on=TODAY)
    user = make_user()
    set_sites(actor=SYSTEM_ACTOR, at=at, user_id=user.id, site_ids=[bench.place.site_id])
    nurse = signed_in_client(user=user)
    assert [one.split(",")[0] for one in names(text(nurse))] == ["Mainly"]
    assert "Northern" not in text(nurse, f"/due?site={north.id}", status=422)


def test_each_look_is_logged_and_who_may_not_see_patients_sees_no_list(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    nurse = signed_in_client(Role.PRACTITIONER)
    text(nurse)
    look = db.session.scalars(select(AccessEntry).where(AccessEntry.page == "due list")).one()
    assert look.patient_id == bench.patient_id
    manager = signed_in_client(Role.MANAGER)
    assert manager.get("/due").status_code == 403
    assert manager.get("/due/calendar").status_code == 403


def test_pages_a_long_list(app: Flask, at: datetime) -> None:
    bench = Bench()
    for number in range(53):
        due_in(-(number % 7), f"Many{chr(97 + number // 26)}{chr(97 + number % 26)}", bench)
    first = due_page(db.session(), wanted(bench), at=at)
    second = due_page(db.session(), wanted(bench), at=at, cursor=first.next)
    assert (len(first.items), len(second.items)) == (50, 3)
    assert len({row.slot_id for row in (*first.items, *second.items)}) == 53
    days = [row.due_on for row in (*first.items, *second.items)]
    assert days == sorted(days)


def test_the_calendar_counts_each_day_and_leads_to_it(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    due_in(-2, "Early", bench)
    due_in(1, "Two", bench)
    due_in(1, "Three", bench)
    nurse = signed_in_client(Role.PRACTITIONER)
    page = text(nurse, "/due/calendar")
    assert "14 Mar 2026: 1 overdue" in page
    assert "17 Mar 2026: 2 due" in page
    assert 'href="/due?on=2026-03-17"' in page
    assert "Two" not in page
    assert "Due in February 2028" in text(nurse, "/due/calendar?month=2028-02-29")
    assert "Due in March 2026" in text(nurse, "/due/calendar?month=2099-01-01")
    assert "Due in March 2026" in text(nurse, "/due/calendar?month=nonsense")


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.AUDITOR])
def test_only_who_gives_doses_is_offered_to_give(
    app: Flask, at: datetime, signed_in_client: Client, role: Role
) -> None:
    bench = Bench()
    slot_id = make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    shown = f"/give/{bench.patient_id}?mode=about&amp;slot={slot_id}" in text(signed_in_client(role))
    assert shown is (role is Role.PRACTITIONER)


def test_gives_straight_from_the_row_what_the_course_ordered(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    hydroxo = make_product(
        formulation_id=make_formulation(name="Hydroxocobalamin"), default_dose_ng=1_000_000
    )
    lot = make_delivery(place=bench.place, product_id=hydroxo.id)
    bench.give()
    slot_id = make_due(
        bench.patient_id,
        site_id=bench.place.site_id,
        due_on=TODAY - timedelta(days=1),
        formulation_id=hydroxo.formulation_id,
        dose_ng=500_000,
    )
    nurse = signed_in_client(user=person(bench.nurse.id))
    row = re.search(rf'href="(/give/{bench.patient_id}[^"]+)"', text(nurse))
    assert row is not None
    form = nurse.form(row[1].replace("&amp;", "&"), having="indication")
    filled = {name: form.fields[name][0] for name in ("source", "dose_mcg", "volume_ml", "indication")}
    assert filled == {
        "source": f"lot-{lot.id.hex}-{bench.place.location_id.hex}",
        "dose_mcg": "500",
        "volume_ml": "0.5",
        "indication": "B12 deficiency",
    }
    assert "500 mcg Hydroxocobalamin" in text(nurse, row[1].replace("&amp;", "&"))
    assert slot(slot_id).state == SlotState.OPEN


def test_a_dose_that_is_given_leaves_the_list_and_the_next_one_is_planned(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    slot_id = make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    nurse = signed_in_client(Role.PRACTITIONER)
    assert len(names(text(nurse))) == 1
    bench.give()
    assert names(text(nurse)) == []
    assert slot(slot_id).state == SlotState.GIVEN
    assert len(names(text(nurse, "/due?on=2026-04-16"))) == 1


def test_the_row_leads_to_its_decision_and_what_was_missed_stays_until_then(
    app: Flask, at: datetime, signed_in_client: Client
) -> None:
    bench = Bench()
    slot_id = make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY - timedelta(days=30))
    nurse = signed_in_client(Role.PRACTITIONER)
    path = f"/courses/slots/{slot_id}/decide"
    assert f'href="{path}"' in text(nurse)
    typed = {"state": "missed", "reason": "Did not come, rang twice."}
    assert nurse.submit(path, typed, having="reason").status_code in {302, 303}
    assert slot(slot_id).state == SlotState.MISSED
    assert names(text(nurse, "/due?when=overdue")) == []
    assert len(names(text(nurse, "/due?on=2026-03-16"))) + len(names(text(nurse, "/due?on=2026-04-14"))) == 1


def test_an_auditor_is_offered_no_decision(app: Flask, at: datetime, signed_in_client: Client) -> None:
    bench = Bench()
    slot_id = make_due(bench.patient_id, site_id=bench.place.site_id, due_on=TODAY)
    assert f"/courses/slots/{slot_id}/decide" not in text(signed_in_client(Role.AUDITOR))
