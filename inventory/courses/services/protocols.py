"""Protocols are written, get new versions, and are withdrawn; a version that was published never changes (law 4)."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from inventory.audit.acts import Act, Outcome, perform
from inventory.clinic.first_visit import set_up_steps
from inventory.courses.models import Protocol, ProtocolStep, ProtocolVersion
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import Unit
from inventory.kernel.errors import Refusal, Refusals, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.laws import means
from inventory.kernel.permissions import SYSTEM_ACTOR, Actor
from inventory.kernel.quantity import parse_mcg

means(
    Refusal("PROTOCOL-NAME-TAKEN", "There is a protocol of this name already.", "name"),
    constraint="uq_protocol_name",
    columns="protocol.name",
)
_SHIPPED = Path(__file__).parent.parent / "shipped_protocols.json"


def add_protocol(
    *, actor: Actor, at: datetime, name: str, draft: ProtocolDraft, request_key: str | None = None
) -> Outcome:
    """Write a protocol and publish its first version. Outcome: the protocol.

    Raises Refusals PROTOCOL-NAME, PROTOCOL-SOURCE, PROTOCOL-STEPS, PROTOCOL-DOSE, PROTOCOL-INTERVAL, PROTOCOL-DOSES,
    PROTOCOL-UNTIL, PROTOCOL-TOLERANCE, PROTOCOL-REVIEW, PROTOCOL-NO-END; Refusal PROTOCOL-NAME-TAKEN.
    """
    unnamed = [] if name.strip() else [Refusal("PROTOCOL-NAME", "Type a name for the protocol.", "name")]
    _refuse_if([*unnamed, *draft.refusals()])

    def write(act: Act) -> Outcome:
        protocol_id = uuid7()
        protocol = Protocol(id=protocol_id, name=name.strip(), created_at=at, created_by_id=actor.id)
        act.session.add(protocol)
        act.session.flush()
        facts = {"name": name.strip(), **_publish(act, protocol_id, 1, draft)}
        return act.record("courses.add-protocol", "protocol", protocol_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def new_version(
    *, actor: Actor, at: datetime, protocol_id: UUID, draft: ProtocolDraft, request_key: str | None = None
) -> Outcome:
    """Publish a further version. Courses that run stay on theirs. Raises as `add_protocol`; Refusal PROTOCOL-WITHDRAWN."""
    _refuse_if(draft.refusals())

    def write(act: Act) -> Outcome:
        protocol = _locked(act, protocol_id)
        if protocol.withdrawn_at is not None:
            raise Refusal("PROTOCOL-WITHDRAWN", "This protocol is withdrawn. Write a new one.", status=409)
        last = act.session.scalar(
            select(func.max(ProtocolVersion.number)).where(ProtocolVersion.protocol_id == protocol_id)
        )
        facts = {"name": protocol.name, **_publish(act, protocol_id, (last or 0) + 1, draft)}
        return act.record("courses.new-protocol-version", "protocol", protocol_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def withdraw_protocol(
    *, actor: Actor, at: datetime, protocol_id: UUID, reason: str, request_key: str | None = None
) -> Outcome:
    """Say that no further course starts on a protocol, and why. Raises Refusal REASON-NEEDED, ALREADY-DONE, NOT-FOUND."""
    if not reason.strip():
        raise Refusal("REASON-NEEDED", "Say why it is withdrawn.", "reason")

    def write(act: Act) -> Outcome:
        protocol = _locked(act, protocol_id)
        if protocol.withdrawn_at is not None:
            raise Refusal("ALREADY-DONE", "Somebody has withdrawn this protocol already.")
        protocol.withdrawn_at, protocol.withdrawn_by_id = at, actor.id
        protocol.withdrawn_reason = reason.strip()
        act.session.flush()
        facts = {"name": protocol.name, "reason": reason.strip()}
        return act.record("courses.withdraw-protocol", "protocol", protocol_id, facts=facts)

    return perform(write, actor=actor, at=at, request_key=request_key)


def add_shipped(*, actor: Actor, at: datetime, request_key: str | None = None) -> Outcome:
    """Add the schedules that come with the software, those whose name no protocol has. Outcome: the last one added.

    Raises Refusal NOTHING-CHANGED where all are there.
    """

    def write(act: Act) -> Outcome:
        known = set(act.session.scalars(select(Protocol.name)))
        missing = [one for one in json.loads(_SHIPPED.read_text("utf-8")) if one["name"] not in known]
        if not missing:
            raise Refusal(
                "NOTHING-CHANGED", "All the schedules that come with the software are here already."
            )
        made = [
            add_protocol(actor=actor, at=at, name=str(one["name"]), draft=_shipped(one)) for one in missing
        ]
        return act.record(
            "courses.add-shipped-protocols",
            "protocol",
            made[-1].subject_id,
            facts={"names": [one["name"] for one in missing]},
        )

    return perform(write, actor=actor, at=at, request_key=request_key)


def _shipped(one: Mapping[str, Any]) -> ProtocolDraft:
    steps = [
        Step(
            position=position,
            dose_ng=parse_mcg(step["dose_mcg"]),
            interval=Interval(step["count"], Unit(step["unit"])),
            doses=step.get("doses"),
            until_text=step.get("until", ""),
            early_days=step["early"],
            late_days=step["late"],
        )
        for position, step in enumerate(one["steps"], start=1)
    ]
    return ProtocolDraft(one["source"], tuple(steps), one["for_substance"], one["review_months"])


def _publish(act: Act, protocol_id: UUID, number: int, draft: ProtocolDraft) -> dict[str, Any]:
    """Insert a version with its steps, and return what the trail tells of it."""
    version = {
        "id": uuid7(),
        "protocol_id": protocol_id,
        "number": number,
        "step_count": len(draft.steps),
        "for_substance": draft.for_substance.strip().lower() or None,
        "review_months": draft.review_months,
        "source": draft.source.strip(),
        "published_at": act.recorded_at,
        "actor_id": act.actor.id,
    }
    act.insert(ProtocolVersion, version)
    for step in draft.steps:
        act.insert(ProtocolStep, _step_row(version["id"], len(draft.steps), step))
    told = [[step.dose_ng, str(step.interval), step.doses, step.until_text] for step in draft.steps]
    return {"version": number, "source": version["source"], "steps": told}


def _step_row(version_id: Any, step_count: int, step: Step) -> dict[str, Any]:
    return {
        "version_id": version_id,
        "position": step.position,
        "step_count": step_count,
        "dose_ng": step.dose_ng,
        "interval_count": step.interval.count,
        "interval_unit": step.interval.unit,
        "doses": step.doses,
        "until_text": step.until_text.strip() or None,
        "tolerance_early_days": step.early_days,
        "tolerance_late_days": step.late_days,
    }


def _locked(act: Act, protocol_id: UUID) -> Protocol:
    protocol = act.session.scalar(
        select(Protocol)
        .where(Protocol.id == protocol_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if protocol is None:
        raise not_found("protocol")
    return protocol


def _refuse_if(refusals: list[Refusal]) -> None:
    if refusals:
        raise Refusals(refusals)


set_up_steps.append(lambda at: add_shipped(actor=SYSTEM_ACTOR, at=at))
