"""Records merged and parted in any order: groups are those of the merges that stand, and what is read is the union of their records."""

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from inventory.app import create_app
from inventory.audit.verification import Verification
from inventory.doses.queries.lists import recent_doses
from inventory.kernel import clock
from inventory.kernel.db import db
from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import SYSTEM_ACTOR
from inventory.patients import queries, verification
from inventory.patients.models import AlertKind
from inventory.patients.services import add_alert, merge_records, undo_merge
from tests.conftest import AT
from tests.factories.doses import Bench
from tests.factories.patients import make_patient
from tests.factories.stock import make_delivery
from tests.properties.effort import effort
from tests.support.databases import ENGINE_KINDS, Databases, close_engines

PEOPLE = 5
one_of_them = st.integers(0, PEOPLE - 1)


class MergeMachine(RuleBasedStateMachine):
    """Five records with a dose and an alert each; the model keeps which leads to which."""

    def __init__(self) -> None:
        super().__init__()
        self.minutes = count(1)
        bench = Bench()
        bench.lot = make_delivery(place=bench.place, containers=PEOPLE)
        self.ids = [make_patient() for _ in range(PEOPLE)]
        self.doses = [bench.give(bench.request(patient_id=one), at=AT).id for one in self.ids]
        for one in self.ids:
            add_alert(actor=SYSTEM_ACTOR, at=AT, patient_id=one, kind=AlertKind.OTHER, note=one.hex)
        self.leads_to: dict[int, int] = {}
        self.merges: list[tuple[UUID, int]] = []

    def at(self) -> datetime:
        return AT + timedelta(minutes=next(self.minutes))

    def kept(self, one: int) -> int:
        while one in self.leads_to:
            one = self.leads_to[one]
        return one

    def group(self, one: int) -> set[int]:
        return {other for other in range(PEOPLE) if self.kept(other) == self.kept(one)}

    @rule(kept=one_of_them, merged=one_of_them)
    def merge(self, kept: int, merged: int) -> None:
        code = self.expected(kept, merged)
        try:
            done = merge_records(
                actor=SYSTEM_ACTOR,
                at=self.at(),
                kept_id=self.ids[kept],
                merged_id=self.ids[merged],
                reason="Same",
            )
        except Refusal as refusal:
            assert refusal.code == code  # noqa: PT017  what is expected may be no refusal at all
            return
        assert code == ""
        self.leads_to[merged] = kept
        self.merges.append((done.subject_id, merged))

    def expected(self, kept: int, merged: int) -> str:
        if kept == merged:
            return "MERGE-ITSELF"
        if self.kept(kept) == self.kept(merged):
            return "MERGE-ONE-PERSON"
        return "MERGED-ALREADY" if {kept, merged} & set(self.leads_to) else ""

    @rule(which=st.integers(0, 50))
    def undo(self, which: int) -> None:
        if not self.merges:
            return
        merge_id, merged = self.merges.pop(which % len(self.merges))
        undo_merge(actor=SYSTEM_ACTOR, at=self.at(), merge_id=merge_id, reason="Twins")
        del self.leads_to[merged]
        with pytest.raises(Refusal) as refused:
            undo_merge(actor=SYSTEM_ACTOR, at=self.at(), merge_id=merge_id, reason="Twins")
        assert refused.value.code == "MERGE-UNDONE"

    @invariant()
    def what_is_read_is_the_union(self) -> None:
        db.session.rollback()
        session = db.session()
        for one, patient_id in enumerate(self.ids):
            group = self.group(one)
            ids = {self.ids[other] for other in group}
            records = queries.records_of(patient_id)
            assert set(records) == ids
            assert records[0] == self.ids[self.kept(one)]
            assert set(queries.patient_facts(session, patient_id, at=AT).records) == ids
            assert {alert.note for alert in queries.alerts_of(session, patient_id)} == {
                one.hex for one in ids
            }
            given = {dose.id for dose in recent_doses(session, patient_id, limit=PEOPLE + 1)}
            assert given == {self.doses[other] for other in group}
        assert list(verification.disagreements(session)) == []

    def teardown(self) -> None:
        assert list(Verification(db.session()).whole()) == []


@pytest.mark.parametrize("kind", ENGINE_KINDS)
def test_any_sequence_of_merges_and_undos_keeps_groups_consistent(databases: Databases, kind: str) -> None:
    with databases.fresh(kind) as database:
        app = create_app(database.config())

        with app.app_context(), clock.frozen(AT):
            run_state_machine_as_test(MergeMachine, settings=effort(3, 12))
            db.session.remove()
        close_engines(app)
