"""An act is one transaction, done once, by one person, with one entry linked into one chain."""

import threading
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from inventory.audit.acts import Act, Outcome, batch, perform
from inventory.audit.models import AuditEntry, AuditHead, AuditLink
from inventory.audit.rules import link_hash
from inventory.catalogue.models import Supplier
from inventory.kernel import clock
from inventory.kernel.db import db, unit_of_work
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from tests.factories.staff import make_actor


def add_supplier(
    name: str, *, actor: Actor = SYSTEM_ACTOR, key: str | None = None, fails: bool = False
) -> Outcome:
    def write(act: Act) -> Outcome:
        supplier = Supplier(id=uuid7(), name=name)
        act.session.add(supplier)
        outcome = act.record("test.supplier", "supplier", supplier.id, facts={"name": name})
        if fails:
            raise Refusal("TEST-REFUSED", "No.")
        return outcome

    return perform(write, actor=actor, at=clock.now(), request_key=key)


def suppliers() -> int:
    db.session.rollback()
    return int(db.session.scalar(select(func.count()).select_from(Supplier)) or 0)


def head() -> tuple[int, str]:
    db.session.rollback()
    seq, linked = db.session.execute(select(AuditHead.seq, AuditHead.hash)).one()
    return seq, linked


def test_a_refused_act_leaves_nothing(app: Flask) -> None:
    before = head()
    with pytest.raises(Refusal):
        add_supplier("Invented", fails=True)
    assert suppliers() == 0
    assert head() == before


def test_a_write_outside_an_act_raises(app: Flask) -> None:
    db.session.add(Supplier(id=uuid7(), name="Invented"))
    with pytest.raises(RuntimeError, match="outside a unit of work"):
        db.session.flush()


def test_a_unit_of_work_is_not_opened_twice(app: Flask) -> None:
    with unit_of_work(), pytest.raises(RuntimeError, match="already open"), unit_of_work():
        pass


def test_an_act_in_a_batch_is_undone_with_the_batch(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), batch():
        add_supplier("Invented")
        raise ZeroDivisionError
    assert suppliers() == 0


def test_the_same_request_is_one_act(app: Flask) -> None:
    first = add_supplier("Invented", key="k")
    again = add_supplier("Invented again", key="k")
    assert (again.subject_id, again.repeated, first.repeated) == (first.subject_id, True, False)
    assert suppliers() == 1


def test_the_same_request_with_other_content_is_refused(app: Flask) -> None:
    first = add_supplier("Invented", key="k.aa")
    assert add_supplier("Invented", key="k.aa").subject_id == first.subject_id
    assert add_supplier("Invented", key="k").repeated
    with pytest.raises(Refusal) as refused:
        add_supplier("Other", key="k.bb")
    assert (refused.value.code, refused.value.status) == ("REQUEST-CHANGED", 409)
    assert suppliers() == 1


def test_the_request_of_another_is_refused(app: Flask) -> None:
    add_supplier("Invented", key="k")
    with pytest.raises(Refusal) as refused:
        add_supplier("Other", actor=make_actor(), key="k")
    assert refused.value.code == "REQUEST-OF-ANOTHER"


def test_a_refused_request_may_be_sent_again(app: Flask) -> None:
    with pytest.raises(Refusal):
        add_supplier("Invented", key="k", fails=True)
    assert not add_supplier("Invented", key="k").repeated


def test_twins_at_once_are_one_act(app: Flask, at: datetime) -> None:
    outcomes: list[UUID] = []

    def send() -> None:
        with app.app_context():
            # The same name: whoever comes second meets a unique constraint before the key.
            outcomes.append(add_supplier("Invented", key="k").subject_id)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8
    assert len(set(outcomes)) == 1
    assert suppliers() == 1


def test_every_entry_is_linked_in_one_chain(app: Flask) -> None:
    with batch():
        for number in range(3):
            add_supplier(f"Invented {number}")
    add_supplier("Invented 3")
    links = db.session.scalars(select(AuditLink).order_by(AuditLink.seq)).all()
    digests = dict(db.session.execute(select(AuditEntry.id, AuditEntry.digest)).all())
    assert [link.seq for link in links] == list(range(1, len(digests) + 1))
    assert all(link.hash == link_hash(link.previous_hash, link.seq, digests[link.entry_id]) for link in links)
    assert head() == (links[-1].seq, links[-1].hash)


def test_acts_from_many_threads_make_one_chain(app: Flask) -> None:
    def work(name: str) -> None:
        with app.app_context():
            for number in range(5):
                add_supplier(f"{name} {number}")

    threads = [threading.Thread(target=work, args=(f"Thread {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert suppliers() == 40
    count = db.session.scalar(select(func.count()).select_from(AuditEntry))
    assert head()[0] == count
