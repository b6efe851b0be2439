"""What is written down about stock as a whole: documents of what left, counts, recalls, temperatures and what they hold."""

from collections.abc import Sequence
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.kernel.db import db
from inventory.stock import queries, services
from inventory.stock.models import (
    AdjustReason,
    Disposal,
    DisposalKind,
    ExcursionDecision,
    Recall,
    StockCount,
    TemperatureExcursion,
    WasteReason,
)
from inventory.stock.notices import NamedLot
from inventory.stock.queries import disposals
from inventory.stock.services import Explanation, Tally
from inventory.stock.services.disposals import (
    Document,
    Line,
    SealedLine,
    VialLine,
    destroy,
    return_to_supplier,
    reverse_disposal,
)
from inventory.stock.services.recalls import (
    Notice,
    add_lots_to_recall,
    close_recall,
    open_recall,
    release_recall,
)
from inventory.stock.services.temperatures import decide_excursion, record_temperature
from tests.properties.clinic.shelves import Back
from tests.properties.clinic.world import BACK, PICK, PLACE, World

ACTS = {DisposalKind.RETURN: return_to_supplier, DisposalKind.DESTRUCTION: destroy}
NUMBERS = st.sampled_from(["a", "B", "c", "t 1", "NEVER"])


class Papers(World):
    """The rules of documents, counts, recalls and temperatures."""

    @rule(
        kind=st.sampled_from(DisposalKind),
        which=PICK,
        containers=st.integers(0, 2),
        of=st.none() | PICK,
        back=BACK,
    )
    def dispose(self, *, kind: DisposalKind, which: int, containers: int, of: int | None, back: Back) -> None:
        (lot, place), vials = self.shelf(which), self.vials()
        lines: list[Line] = []
        leaves_ul = containers * lot.container_volume_ul
        if containers:
            lines.append(SealedLine(lot.id, place.location_id, containers, WasteReason.EXPIRED))
        if of is not None and vials:
            vial = self.pick(vials, of)
            lines.append(VialLine(vial.id, WasteReason.BROKEN))
            leaves_ul += self.held_ul(vial)
        document = Document(
            place.site_id,
            "D 1",
            lines,
            supplier_id=self.supplier,
            witness_id=self.witness.id,
            disposed_at=self.moment(back),
        )
        self.attempt(
            kind, lambda at: ACTS[kind](actor=self.nurse, at=at, document=document), changes_ul=-leaves_ul
        )

    @rule(which=PICK)
    def reverse_document(self, which: int) -> None:
        db.session.rollback()
        found = db.session.scalars(select(Disposal.id).order_by(Disposal.id.desc())).all()
        if found:
            disposal_id = self.pick(found, which)
            back_ul = sum(line.amount_ul for line in disposals.disposal_lines(db.session(), disposal_id))
            self.attempt(
                "reverse a document",
                lambda at: reverse_disposal(
                    actor=self.manager, at=at, disposal_id=disposal_id, reason="Recorded wrongly"
                ),
                changes_ul=back_ul,
            )

    # ---------------------------------------------------------------------------------------------------- counts

    @rule(where=PLACE, off=st.integers(-2, 2), drop=st.integers(-700, 100))
    def count(self, where: int, off: int, drop: int) -> None:
        """Begin a count and hand it in; where one of the place waits, post it, or give it up if it cannot be posted."""
        db.session.rollback()
        place = self.places[where]
        found = queries.open_counts(db.session(), [place.location_id]).get(place.location_id)
        if found is not None:
            self.post(found)
            return
        started = self.attempt(
            "start a count",
            lambda at: services.start_count(
                actor=self.nurse, at=at, site_id=place.site_id, location_id=place.location_id
            ),
            changes_ul=0,
        )
        if started is None:  # somebody began one at the same moment
            return
        tally = self.tally(started.subject_id, off=off, drop=drop)
        self.attempt(
            "hand in a count",
            lambda at: services.hand_in_count(
                actor=self.nurse, at=at, count_id=started.subject_id, tally=tally
            ),
            changes_ul=0,
        )

    def tally(self, count_id: UUID, *, off: int, drop: int) -> Tally:
        """Return what somebody counted who is wrong by so much everywhere."""
        db.session.rollback()
        containers, volumes = {}, {}
        for line, held_ul in queries.counts.held_at(
            db.session(), queries.count_by_id(db.session(), count_id), at=self.now
        ):
            if line.vial:
                volumes[line.vial.id] = max(0, held_ul + drop)
            else:
                containers[line.lot.id] = max(0, held_ul // line.lot.container_volume_ul + off)
        return Tally(containers, volumes)

    def post(self, count: StockCount) -> None:
        lines = queries.lines_of(db.session(), count)
        differing = {line.line.position: line.difference_ul for line in lines if line.difference_ul}
        why = dict.fromkeys(differing, Explanation(AdjustReason.MISCOUNTED))
        posted = self.attempt(
            "post a count",
            lambda at: services.post_count(actor=self.manager, at=at, count_id=count.id, explanations=why),
            changes_ul=sum(differing.values()),
        )
        if posted is None:
            self.attempt(
                "give a count up",
                lambda at: services.abandon_count(
                    actor=self.manager, at=at, count_id=count.id, reason="Again"
                ),
                changes_ul=0,
            )

    # --------------------------------------------------------------------------------------------------- recalls

    def recalls(self) -> Sequence[UUID]:
        db.session.rollback()
        return db.session.scalars(select(Recall.id).order_by(Recall.id.desc())).all()

    @rule(numbers=st.sets(NUMBERS, min_size=1))
    def open_recall(self, numbers: set[str]) -> None:
        self.attempt(
            "recall",
            lambda at: open_recall(
                actor=self.manager,
                at=at,
                site_id=self.places[0].site_id,
                notice=Notice(title="Recall", reason="Invented"),
                named=[NamedLot(one) for one in sorted(numbers)],
            ),
            changes_ul=0,
        )

    @precondition(lambda self: self.recalls())
    @rule(which=PICK, number=NUMBERS, end=st.sampled_from(["add", "release", "close"]))
    def go_on_with_a_recall(self, which: int, number: str, end: str) -> None:
        common = {"actor": self.manager, "recall_id": self.pick(self.recalls(), which)}
        acts = {
            "add": lambda at: add_lots_to_recall(at=at, named=[NamedLot(number)], **common),
            "release": lambda at: release_recall(at=at, reason="Cleared", **common),
            "close": lambda at: close_recall(
                at=at, outcome="Done", although="The maker fetches it", **common
            ),
        }
        self.attempt(f"{end} (recall)", acts[end], changes_ul=0)

    # ---------------------------------------------------------------------------------------------- temperatures

    @rule(where=PLACE, decicelsius=st.sampled_from([10, 40, 50, 120]), back=BACK)
    def read_temperature(self, where: int, decicelsius: int, back: Back) -> None:
        db.session.rollback()
        location = db.session.get_one(Location, self.places[where].location_id)
        self.attempt(
            "temperature",
            lambda at: record_temperature(
                actor=self.nurse, at=at, location=location, decicelsius=decicelsius, read_at=self.moment(back)
            ),
            changes_ul=0,
        )

    @rule(which=PICK, decision=st.sampled_from(ExcursionDecision))
    def decide(self, which: int, decision: ExcursionDecision) -> None:
        db.session.rollback()
        undecided_first = select(TemperatureExcursion.id).order_by(
            TemperatureExcursion.decided_at.is_not(None), TemperatureExcursion.id
        )
        found = db.session.scalars(undecided_first).all()
        if found:
            excursion_id = self.pick(found, which)
            self.attempt(
                f"{decision} (temperature)",
                lambda at: decide_excursion(
                    actor=self.manager, at=at, excursion_id=excursion_id, decision=decision, note="Looked at"
                ),
                changes_ul=0,
            )
