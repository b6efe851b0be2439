"""Reads protocols, their versions with their steps, and authorities."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Formulation, Product, Route
from inventory.courses.models import Authority, Protocol, ProtocolStep, ProtocolVersion
from inventory.courses.rules.calendar import Interval
from inventory.courses.rules.ordering import ProtocolDraft
from inventory.courses.rules.planning import Step
from inventory.courses.rules.terms import Unit
from inventory.kernel.errors import not_found


@dataclass(frozen=True, slots=True)
class Published:
    """A version of a protocol with its steps."""

    protocol: Protocol
    version: ProtocolVersion
    steps: tuple[Step, ...]

    @property
    def draft(self) -> ProtocolDraft:
        """What it says, as somebody would write it."""
        return ProtocolDraft(
            source=self.version.source,
            steps=self.steps,
            for_substance=self.version.for_substance or "",
            review_months=self.version.review_months,
        )


def protocols(session: Session, *, in_use: bool = False) -> list[Published]:
    """Return the newest version of every protocol by name; with `in_use` of those that are not withdrawn."""
    newest = (
        select(ProtocolVersion.protocol_id, func.max(ProtocolVersion.number).label("number"))
        .group_by(ProtocolVersion.protocol_id)
        .subquery()
    )
    found = (
        select(Protocol, ProtocolVersion)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .join(
            newest,
            (newest.c.protocol_id == ProtocolVersion.protocol_id)
            & (newest.c.number == ProtocolVersion.number),
        )
        .order_by(Protocol.withdrawn_at.is_not(None), Protocol.name, Protocol.id)
    )
    if in_use:
        found = found.where(Protocol.withdrawn_at.is_(None))
    rows = session.execute(found).all()
    steps = steps_of(session, [version.id for _, version in rows])
    return [Published(protocol, version, steps[version.id]) for protocol, version in rows]


def versions_of(session: Session, protocol_id: UUID) -> list[Published]:
    """Return every version of a protocol, the newest first. Raises Refusal NOT-FOUND."""
    rows = session.execute(
        select(Protocol, ProtocolVersion)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(Protocol.id == protocol_id)
        .order_by(ProtocolVersion.number.desc())
    ).all()
    if not rows:
        raise not_found("protocol")
    steps = steps_of(session, [version.id for _, version in rows])
    return [Published(protocol, version, steps[version.id]) for protocol, version in rows]


def published(session: Session, version_id: UUID) -> Published:
    """Return one version. Raises Refusal NOT-FOUND."""
    row = session.execute(
        select(Protocol, ProtocolVersion)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(ProtocolVersion.id == version_id)
    ).first()
    if row is None:
        raise not_found("protocol")
    return Published(*row, steps_of(session, [version_id])[version_id])


def steps_of(session: Session, version_ids: Collection[UUID]) -> dict[UUID, tuple[Step, ...]]:
    """Return the steps of versions, each in their order."""
    rows = session.scalars(
        select(ProtocolStep)
        .where(ProtocolStep.version_id.in_(version_ids))
        .order_by(ProtocolStep.version_id, ProtocolStep.position)
    )
    found: dict[UUID, list[Step]] = defaultdict(list)
    for row in rows:
        found[row.version_id].append(_step(row))
    return {version_id: tuple(found[version_id]) for version_id in version_ids}


def _step(row: ProtocolStep) -> Step:
    return Step(
        position=row.position,
        dose_ng=row.dose_ng,
        interval=Interval(row.interval_count, Unit(row.interval_unit)),
        doses=row.doses,
        until_text=row.until_text or "",
        early_days=row.tolerance_early_days,
        late_days=row.tolerance_late_days,
    )


def labelled_routes(session: Session, formulation_id: UUID) -> frozenset[Route]:
    """Return the routes on the labels of a formulation's products that are in use."""
    labels = session.scalars(
        select(Product.routes).where(Product.formulation_id == formulation_id, Product.retired_at.is_(None))
    )
    return frozenset(Route(code) for routes in labels for code in routes.split(",") if code)


def authorities(session: Session) -> Sequence[tuple[Authority, str]]:
    """Return every authority with the name of its formulation: those that stand first, by document and version."""
    rows = session.execute(
        select(Authority, Formulation.name)
        .join(Formulation, Formulation.id == Authority.formulation_id)
        .order_by(
            Authority.withdrawn_at.is_not(None),
            Authority.document,
            Authority.expires_on.desc(),
            Authority.id,
        )
    )
    return [(authority, name) for authority, name in rows]


def authority_by_id(session: Session, authority_id: UUID) -> Authority:
    """Return one authority. Raises Refusal NOT-FOUND."""
    found = session.get(Authority, authority_id)
    if found is None:
        raise not_found("authority")
    return found


def stands(authority: Authority, on: date) -> bool:
    """Tell whether an authority lets doses be given on a day."""
    return authority.withdrawn_at is None and authority.valid_from <= on <= authority.expires_on
