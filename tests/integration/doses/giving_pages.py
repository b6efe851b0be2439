"""The pages of a dose as a test drives them: fill in, check, record."""

from typing import Any

from sqlalchemy import func, select

from inventory.doses.models import Dose
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert
from inventory.staff import queries as people
from tests.factories.doses import Bench
from tests.factories.staff import session_cookie
from tests.support.client import CheckingClient, pick_form


def address(bench: Bench, mode: str = "about") -> str:
    return f"/give/{bench.patient_id}?mode={mode}"


def checked(client: CheckingClient, bench: Bench, mode: str = "about", **typed: object) -> Any:
    form = client.form(address(bench, mode), having="indication")
    usual = {"indication": "B12 deficiency", "consent_seen": "y", "step": "check"}
    usual |= {"identity_ticked": "y"} if mode == "about" else {}
    if mode == "already":
        # Looking back, nothing is suggested: the person tells it all.
        key = f"lot-{bench.lot.id.hex}-{bench.place.location_id.hex}"
        usual |= {
            "source": key,
            "body_site": "LD",
            "dose_mcg": "1000",
            "given_at": f"{clock.now():%Y-%m-%dT%H:%M}",
        }
    return client.send(address(bench, mode), form, usual | typed)


def recorded(client: CheckingClient, bench: Bench, answer: Any, **typed: object) -> Any:
    return client.send(
        f"/give/{bench.patient_id}", pick_form(answer, having="draws"), {"step": "record"} | typed
    )


def doses() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Dose)) or 0)


def only_dose() -> Dose:
    return db.session.scalars(select(Dose)).one()


def signed_in_again(client: CheckingClient, bench: Bench) -> CheckingClient:
    """Sign in anew: the session has rested over night."""
    client.set_cookie(*session_cookie(client.application, people.person(bench.nurse.id)))
    return client


def with_allergy(bench: Bench) -> None:
    add_alert(
        actor=bench.nurse, at=clock.now(), patient_id=bench.patient_id, kind=AlertKind.ALLERGY_COBALAMIN
    )
