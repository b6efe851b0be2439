"""Temperatures by location. A reading outside what something there allows holds exactly that, in the same act, until a decision.

Laws kept here: a reading, the excursion it opens and its holds are one act; an excursion is decided once, by a prescriber or
manager; what was held and released stays to be read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, insert, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.models import CounterKind, Location
from inventory.clinic.numbers import next_number
from inventory.kernel.errors import Refusal
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.stock import queries, rules
from inventory.stock.exposure import Exposure, Reading, exposure_of
from inventory.stock.models import (
    ExcursionDecision,
    ExcursionHold,
    Hold,
    HoldKind,
    ReadingSource,
    TemperatureExcursion,
    TemperatureReading,
)
from inventory.stock.queries import exposed as exposed_stock
from inventory.stock.queries import temperatures as found
from inventory.stock.queries.corrections import became, with_merged
from inventory.stock.queries.relabelled import lock_through
from inventory.stock.services.holding import place_hold
from inventory.stock.services.places import refuse_elsewhere

COLDEST, HOTTEST = -1_000, 1_000
"""What a thermometer of a clinic can show, in tenths of a degree."""
AT_ONCE = 1_000
READING = cast(Table, TemperatureReading.__table__)


@dataclass(frozen=True, slots=True)
class LoggerFile:
    """The file that readings came from: its name and its SHA-256, and how many of its lines were left out."""

    name: str
    sha256: str
    left_out: int = 0


def record_temperature(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    location: Location,
    decicelsius: int,
    read_at: datetime | None = None,
    note: str = "",
) -> Outcome:
    """Record one temperature read at a location (tenths of a degree Celsius); `read_at` None is now. The outcome names the location.

    Raises Refusal TEMPERATURE-RANGE, READING-TWICE, LOCATION-ELSEWHERE, TIME-FUTURE, TIME-TOO-EARLY.
    """

    def write(act: Act) -> Outcome:
        when = rules.moment(read_at, recorded_at=act.recorded_at, field="read_at")
        reading = Reading(when, decicelsius, note.strip())
        _refuse_impossible([reading])
        _take_place(act, location)
        if found.instants_read(act.session, location.id, first=when, last=when):
            said = "There is a reading of this location for that very time. Type another time."
            raise Refusal("READING-TWICE", said, "read_at")
        excursion = _write(act, location, [reading], ReadingSource.TYPED)
        facts = {"decicelsius": decicelsius, "read_at": when, "note": reading.note, "excursion": excursion}
        return act.record(
            "stock.record-temperature", "location", location.id, site_id=location.site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def record_logger_file(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    location: Location,
    readings: Sequence[Reading],
    file: LoggerFile,
) -> Outcome:
    """Record the readings of a logger's file, but for instants that have a reading already. The outcome names the location.

    Raises Refusal READINGS-KNOWN where every one is there already, TEMPERATURE-RANGE, LOCATION-ELSEWHERE, TIME-FUTURE,
    TIME-TOO-EARLY.
    """

    def write(act: Act) -> Outcome:
        _refuse_impossible(readings)
        _refuse_out_of_time(act, readings)
        _take_place(act, location)
        fresh = found.fresh_readings(act.session, location.id, readings)
        if not fresh:
            raise Refusal("READINGS-KNOWN", "Every reading of this file is recorded already.", "file")
        excursion = _write(act, location, fresh, ReadingSource.LOGGER)
        facts = {
            "file": file.name,
            "sha256": file.sha256,
            "readings": len(fresh),
            "known_already": len(readings) - len(fresh),
            "lines_left_out": file.left_out,
            "first_read_at": min(one.read_at for one in fresh),
            "last_read_at": max(one.read_at for one in fresh),
            "excursion": excursion,
        }
        return act.record(
            "stock.record-logger-file", "location", location.id, site_id=location.site_id, facts=facts
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def decide_excursion(
    *,
    actor: Actor,
    at: datetime,
    request_key: str | None = None,
    excursion_id: UUID,
    decision: ExcursionDecision,
    note: str,
) -> Outcome:
    """Decide what becomes of stock that was outside its limits. RELEASE frees exactly what the excursion holds; CONDEMN keeps it held.

    The outcome names the excursion. Raises Refusal NOT-PERMITTED, NOTE-NEEDED, EXCURSION-DECIDED.
    """

    def write(act: Act) -> Outcome:
        if not may_decide(act.actor):
            said = "A prescriber or a manager decides what becomes of it."
            raise Refusal("NOT-PERMITTED", said, status=403)
        said = note.strip()
        if not said:
            raise Refusal("NOTE-NEEDED", "Say why in words.", "note")
        excursion = found.excursion_by_id(act.session, excursion_id)
        if excursion.decided_at is not None:
            raise Refusal("EXCURSION-DECIDED", "Somebody has decided this already. Load the page again.")
        held = found.holds_of_excursion(act.session, excursion_id, standing=True)
        if decision == ExcursionDecision.RELEASE:
            _release(act, held, f"Excursion {excursion.number}: {said}")
        excursion.decided_at, excursion.decided_by_id = act.recorded_at, act.actor.id
        excursion.decision, excursion.decision_note = decision, said
        facts = {"number": excursion.number, "decision": decision, "reason": said, "holds": len(held)}
        return act.record(
            "stock.decide-excursion",
            "temperature_excursion",
            excursion_id,
            site_id=excursion.site_id,
            facts=facts,
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def also_of_excursions(act: Act, hold: Hold, carried: Hold) -> None:
    """Inside an act: let what an excursion holds stay its own where the stock goes, so that its decision reaches it there."""
    of_it = select(ExcursionHold.excursion_id).where(ExcursionHold.hold_id == hold.id)
    for excursion_id in act.session.scalars(of_it).all():
        act.session.flush()
        act.insert(ExcursionHold, {"excursion_id": excursion_id, "hold_id": carried.id})


def may_decide(actor: Actor) -> bool:
    """Tell whether the person decides about excursions: prescribers and managers do."""
    return actor.can(Permission.DOSE_OVERRIDE) or actor.can(Permission.STOCK_MANAGE)


def _take_place(act: Act, location: Location) -> None:
    """Lock the location, so that two readings at once open one excursion."""
    refuse_elsewhere(act.session, site_id=location.site_id, location_id=location.id)
    act.session.execute(select(Location.id).where(Location.id == location.id).with_for_update(key_share=True))


def _refuse_impossible(readings: Iterable[Reading]) -> None:
    if any(not COLDEST <= one.decicelsius <= HOTTEST for one in readings):
        said = "From -100 to 100 degrees Celsius."
        raise Refusal("TEMPERATURE-RANGE", said, "temperature")


def _refuse_out_of_time(act: Act, readings: Iterable[Reading]) -> None:
    for one in readings:
        rules.moment(one.read_at, recorded_at=act.recorded_at, field="file")


def _write(act: Act, location: Location, readings: Sequence[Reading], source: ReadingSource) -> int | None:
    """Insert the readings, open or extend an excursion where they ask for one, and return its number."""
    for start in range(0, len(readings), AT_ONCE):
        _insert(act, location, readings[start : start + AT_ONCE], source)
    exposure = _exposure(act, location, readings)
    if exposure is None:
        return None
    excursion = _extended(act, location, exposure) or _opened(act, location, exposure)
    act.session.flush()
    lots = _hold_exposed(act, excursion, exposure)
    facts = {
        "number": excursion.number,
        "began_at": excursion.began_at,
        "lowest_decicelsius": excursion.lowest_decicelsius,
        "highest_decicelsius": excursion.highest_decicelsius,
        "lots_held": lots,
    }
    act.record(
        "stock.excursion",
        "temperature_excursion",
        excursion.id,
        site_id=location.site_id,
        facts=facts,
    )
    return excursion.number


def _insert(act: Act, location: Location, readings: Sequence[Reading], source: ReadingSource) -> None:
    rows = [
        {
            "act_id": act.id,
            "location_id": location.id,
            "read_at": one.read_at,
            "decicelsius": one.decicelsius,
            "source": source,
            "note": one.note or None,
            "recorded_at": act.recorded_at,
            "actor_id": act.actor.id,
        }
        for one in readings
    ]
    ids = act.session.execute(insert(READING).returning(READING.c.read_at, READING.c.id), rows)
    by_instant = {read_at: reading_id for read_at, reading_id in ids}  # noqa: C416  rows are not pairs to the type checker
    for row in rows:
        reading_id = by_instant[row["read_at"]]
        act.witness("temperature_reading", {**row, "id": reading_id}, (reading_id,))


def _exposure(act: Act, location: Location, readings: Sequence[Reading]) -> Exposure | None:
    """Return what was outside its limits; what is condemned already and only waits to be taken away is not asked about again."""
    kept = found.kept_at(act.session, location.id, since=min(one.read_at for one in readings))
    condemned = found.condemned_lots(act.session, location.id)
    return exposure_of([one for one in kept if one.lot_id not in condemned], readings)


def _extended(act: Act, location: Location, exposure: Exposure) -> TemperatureExcursion | None:
    excursion = found.open_excursion(act.session, location.id)
    if excursion is None:
        return None
    excursion.began_at = min(excursion.began_at, exposure.began_at)
    excursion.last_read_at = max(excursion.last_read_at, exposure.ended_at)
    excursion.lowest_decicelsius = min(excursion.lowest_decicelsius, exposure.lowest)
    excursion.highest_decicelsius = max(excursion.highest_decicelsius, exposure.highest)
    return excursion


def _opened(act: Act, location: Location, exposure: Exposure) -> TemperatureExcursion:
    excursion = TemperatureExcursion(
        id=uuid7(),
        number=next_number(act.session, location.site_id, CounterKind.EXCURSION),
        site_id=location.site_id,
        location_id=location.id,
        began_at=exposure.began_at,
        last_read_at=exposure.ended_at,
        lowest_decicelsius=exposure.lowest,
        highest_decicelsius=exposure.highest,
        opened_at=act.recorded_at,
        opened_by_id=act.actor.id,
    )
    act.session.add(excursion)
    return excursion


def _hold_exposed(act: Act, excursion: TemperatureExcursion, exposure: Exposure) -> list[str]:
    """Hold what was exposed wherever it lies now or may come back to, and return the numbers of its lots."""
    held: list[str] = []
    exposed = [one.vial_id for one in exposure.kept if one.vial_id is not None]
    since = exposure.began_at
    for lot_id in _as_they_are_now(act, exposure):
        lot = queries.lot_by_id(act.session, lot_id)
        numbers = with_merged(act.session, lot_id)
        places = exposed_stock.places_since(act.session, numbers, excursion.location_id, since=since)
        vials = exposed_stock.vials_beyond(act.session, numbers, places, exposed, since=since)
        for place in places:
            _hold(act, excursion, lot_id, location_id=place)
        for vial_id in vials:
            _hold(act, excursion, lot_id, vial_id=vial_id)
        held.append(lot.lot_number)
    return sorted(held)


def _as_they_are_now(act: Act, exposure: Exposure) -> list[UUID]:
    """Return the lots that were exposed, each as the one it was merged into since, locked until the act ends."""
    exposed = dict.fromkeys(one.lot_id for one in exposure.kept)
    lock_through(act.session, exposed)
    return list(dict.fromkeys(became(act.session, lot_id) for lot_id in exposed))


def _hold(
    act: Act,
    excursion: TemperatureExcursion,
    lot_id: UUID,
    *,
    location_id: UUID | None = None,
    vial_id: UUID | None = None,
) -> None:
    """Place a hold of this excursion, unless one that it placed there still stands."""
    standing = found.holds_of_excursion(act.session, excursion.id, standing=True)
    if any((one.lot_id, one.location_id, one.vial_id) == (lot_id, location_id, vial_id) for one in standing):
        return
    reason = f"Excursion {excursion.number}: stored outside its temperature limits."
    kind = HoldKind.TEMPERATURE
    hold = place_hold(act, lot_id, kind, reason, location_id=location_id, vial_id=vial_id)
    act.session.flush()
    act.insert(ExcursionHold, {"excursion_id": excursion.id, "hold_id": hold.id})


def _release(act: Act, held: Iterable[Hold], reason: str) -> None:
    for hold in held:
        hold.released_at, hold.released_by_id, hold.release_reason = act.recorded_at, act.actor.id, reason
    act.session.flush()
