"""What alarms the demo's stock room: fridges that were too warm, a recall as a drill, and a recall that is under way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select

from inventory.clinic.models import Location
from inventory.demo.products import FRIDGE, FRIDGE_2, NORTH_FRIDGE
from inventory.demo.scene import Happening, Scene
from inventory.doses.queries.recalls import recipients
from inventory.doses.rules.terms import ContactMeans, ContactOutcome
from inventory.doses.services.recalls import Told, record_contact
from inventory.kernel.db import db
from inventory.stock.exposure import Reading
from inventory.stock.models import ExcursionDecision, TemperatureExcursion
from inventory.stock.notices import NamedLot
from inventory.stock.services import Arrived
from inventory.stock.services.recalls import Notice, close_recall, open_recall, release_recall
from inventory.stock.services.temperatures import (
    LoggerFile,
    decide_excursion,
    record_logger_file,
    record_temperature,
)

FRIDGES = (FRIDGE, FRIDGE_2, NORTH_FRIDGE)
HOURS = (2, 8, 14, 20)
FILES = ((155, 126), (125, 96), (95, 67), (66, 34), (33, 3))
"""From and to which day ago each logger's file says something."""
WARM = {(68, 14): 96, (68, 20): 112, (3, 2): 124, (3, 8): 141}
"""How warm the second fridge was, in tenths of a degree, by how many days ago and the hour."""
DRILLED, RECALLED = ("1662", "1679", "1683"), "CH-40921"
TOLD, MESSAGE = ContactOutcome.TOLD, ContactOutcome.MESSAGE_LEFT
DRILL = Notice(
    title="Cracked vials, after the notice of 2 April 2012",
    reason="The notice of 2012 was real: vials may crack, so sterility and glass. These lots are invented, for practice.",
    reference="Notice of 2012-04-02",
    is_drill=True,
)
RECALL = Notice(
    title="Particles in Cobalin-H",
    reason="Invented for the demo: recall notice 26-014. Return it to the supplier.",
    reference="26-014",
)


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms of the last half-year."""

    scene: Scene

    def plan(self) -> Iterator[Happening]:
        """Give what happens, each with its instant."""
        yield from self._readings()
        yield self.scene.evening(66), self._decide
        yield from self._drill()
        yield self.scene.morning(40), self._deliver_what_is_recalled
        yield self.scene.evening(31), partial(self.take_in, RECALLED, 2)
        yield self.scene.period.at(self.scene.day(9), 8, 10), self._recall

    def _readings(self) -> Iterator[Happening]:
        """The loggers' files month by month, then typed each morning; today one fridge was not read yet."""
        for first, last in FILES:
            for name in FRIDGES:
                yield (
                    self.scene.period.at(self.scene.day(last), 8, 20),
                    partial(self._file, name, first, last),
                )
        for days_ago in (2, 1, 0):
            for name in FRIDGES if days_ago else (FRIDGE, NORTH_FRIDGE):
                yield self.scene.period.at(self.scene.day(days_ago), 8, 20), partial(self._read, name)

    def _file(self, name: str, first: int, last: int, at: datetime) -> None:
        readings = [
            Reading(read_at, self._degrees(name, days_ago, hour))
            for days_ago in range(first, last - 1, -1)
            for hour in HOURS
            if (read_at := self.scene.period.at(self.scene.day(days_ago), hour)) < at
        ]
        said = "\n".join(f"{one.read_at.isoformat()},{one.decicelsius}" for one in readings)
        file = LoggerFile(f"{name} {self.scene.day(last)}.csv", sha256(said.encode()).hexdigest())
        record_logger_file(
            actor=self.scene.staff["nurse"],
            at=at,
            location=self._location(name),
            readings=readings,
            file=file,
        )

    def _degrees(self, name: str, days_ago: int, hour: int) -> int:
        warm = WARM.get((days_ago, hour)) if name == FRIDGE_2 else None
        return warm or 45 + self.scene.rng.randrange(-12, 13)

    def _read(self, name: str, at: datetime) -> None:
        degrees = self._degrees(name, 0, 0)
        record_temperature(
            actor=self.scene.staff["nurse"], at=at, location=self._location(name), decicelsius=degrees
        )

    def _location(self, name: str) -> Location:
        return db.session.get_one(Location, self.scene.places[name].location_id)

    def _decide(self, at: datetime) -> None:
        excursion_id = db.session.scalar(
            select(TemperatureExcursion.id).where(TemperatureExcursion.decided_at.is_(None))
        )
        assert excursion_id is not None  # noqa: S101  the logger's file has said so that morning
        decide_excursion(
            actor=self.scene.staff["prescriber"],
            at=at,
            excursion_id=excursion_id,
            decision=ExcursionDecision.RELEASE,
            note="Below 12 C for less than 12 hours; the maker's letter of today allows that once.",
        )

    def _drill(self) -> Iterator[Happening]:
        yield self.scene.morning(150), self._deliver_what_is_drilled
        yield self.scene.evening(139), partial(self.take_in, DRILLED[2], 4)
        yield self.scene.evening(92), self._practise

    def _deliver_what_is_drilled(self, at: datetime) -> None:
        """Three lots come, doses are given of them, and some of the last go to the second site."""
        for number, lot_number in enumerate(DRILLED):
            came_at = at + timedelta(minutes=number)
            lot_id = self.scene.receive("regent-1", lot_number, 10, came_at)
            self.scene.use_first("cyano-1", lot_id, 6, self.scene.day(94))
        self.scene.send(self.scene.lot(DRILLED[2]).id, 4, at + timedelta(minutes=30))

    def take_in(self, lot_number: str, containers: int, at: datetime) -> None:
        """Receive at the second site all that was sent of a lot."""
        self.scene.take_in(self.scene.lot(lot_number).id, Arrived(1, containers), at)

    def _practise(self, at: datetime) -> None:
        """Recall the lots of the notice, reach everybody (as if), release them and close it out, within the hour."""
        recall_id = self._open(DRILL, DRILLED, at)
        for number, patient_id in enumerate(self._patients(recall_id)):
            self._reach(recall_id, patient_id, TOLD, at + timedelta(seconds=40 * (number + 1)))
        ended = at + timedelta(minutes=50)
        release = "The drill is over."
        release_recall(actor=self.scene.staff["manager"], at=ended, recall_id=recall_id, reason=release)
        outcome = "All stock found at both sites within ten minutes, every number on the list was right."
        close_recall(
            actor=self.scene.staff["manager"],
            at=ended + timedelta(minutes=1),
            recall_id=recall_id,
            outcome=outcome,
        )

    def _open(self, notice: Notice, lot_numbers: tuple[str, ...], at: datetime) -> UUID:
        for lot_number in lot_numbers:
            self.scene.no_longer_used(self.scene.lot(lot_number).id)
        return open_recall(
            actor=self.scene.staff["manager"],
            at=at,
            site_id=self.scene.places[FRIDGE].site_id,
            notice=notice,
            named=[NamedLot(one) for one in lot_numbers],
        ).subject_id

    def _patients(self, recall_id: UUID) -> list[UUID]:
        return [one.id for one in recipients(db.session(), recall_id)]

    def _reach(self, recall_id: UUID, patient_id: UUID, outcome: ContactOutcome, at: datetime) -> None:
        told = Told(outcome=outcome, means=ContactMeans.PHONE)
        record_contact(
            actor=self.scene.staff["nurse"], at=at, recall_id=recall_id, patient_id=patient_id, told=told
        )

    def _deliver_what_is_recalled(self, at: datetime) -> None:
        lot_id = self.scene.receive("cobalin", RECALLED, 10, at)
        self.scene.use_first("hydroxo-1", lot_id, 4, self.scene.day(20))
        self.scene.send(lot_id, 2, at + timedelta(minutes=30))

    def _recall(self, at: datetime) -> None:
        """A recall that is under way: some of its patients were told, one has a message, the others wait."""
        recall_id = self._open(RECALL, (RECALLED,), at)
        for number, (patient_id, outcome) in enumerate(
            zip(self._patients(recall_id), (TOLD, MESSAGE), strict=False), start=1
        ):
            self._reach(recall_id, patient_id, outcome, at + timedelta(minutes=5 * number))
