"""One dose's story: its record, its containers, what the gate found, who decided, what became of it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from inventory.catalogue.models import Formulation, Product
from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseFinding, DoseSource, DoseVoid, Incident, NotGiven
from inventory.kernel.errors import not_found
from inventory.kernel.numbering import written_number
from inventory.staff.models import User
from inventory.stock.models import Account, Movement, MovementKind, Vial, WasteReason
from inventory.stock.queries import at_its_place
from inventory.stock.queries.corrections import Corrected, later_words


@dataclass(frozen=True, slots=True)
class Story:
    """A dose with all that hangs on it. `amends` and `amended_by` are (id, number) of the entries before and after."""

    dose: Dose
    site: Site
    recorded_by: str
    sources: Sequence[Any]
    findings: Sequence[Any]
    void: Any | None
    amends: Any | None
    amended_by: Any | None
    incidents: Sequence[Incident]
    wasted_ul: int
    product_version: int
    corrections: Sequence[Corrected] = ()


def get_dose(session: Session, dose_id: UUID) -> Dose:
    """Return the dose. Raises Refusal NOT-FOUND."""
    dose = session.get(Dose, dose_id)
    if dose is None:
        raise not_found("dose")
    return dose


def story_of(session: Session, dose_id: UUID) -> Story:
    """Return one dose's story, in ten statements. Raises Refusal NOT-FOUND."""
    dose = get_dose(session, dose_id)
    sources = _sources(session, dose_id)
    return Story(
        dose=dose,
        site=session.get_one(Site, dose.site_id),
        recorded_by=str(session.scalar(select(User.display_name).where(User.id == dose.actor_id))),
        sources=sources,
        findings=_findings(session, dose_id),
        void=session.execute(
            select(DoseVoid.kind, DoseVoid.reason, DoseVoid.voided_at, User.display_name.label("by"))
            .join(User, User.id == DoseVoid.actor_id)
            .where(DoseVoid.dose_id == dose_id)
        ).first(),
        amends=_named(session, Dose.id == dose.amends_id) if dose.amends_id else None,
        amended_by=_named(session, Dose.amends_id == dose_id),
        incidents=session.scalars(
            select(Incident).where(Incident.dose_id.in_((dose_id, dose.amends_id))).order_by(Incident.number)
        ).all(),
        wasted_ul=_remainder(session, sources),
        product_version=session.scalars(
            select(Product.version_number).where(Product.id == dose.product_id)
        ).one(),
        corrections=_corrected_since(session, dose, sources),
    )


def _named(session: Session, which: Any) -> Any:
    return session.execute(select(Dose.id, Dose.number, Dose.site_id).where(which)).first()


def _sources(session: Session, dose_id: UUID) -> Sequence[Any]:
    return session.execute(
        select(
            DoseSource.lot_id,
            DoseSource.vial_id,
            DoseSource.lot_number,
            DoseSource.expires_on,
            DoseSource.use_by_on,
            DoseSource.label_number,
            DoseSource.volume_ul,
            Movement.act_id,
            Vial.container_type,
            Vial.closed_at,
            Account.balance_ul,
            _opened_with_it().label("opened_with_it"),
        )
        .join(Movement, Movement.id == DoseSource.movement_id)
        .join(Vial, Vial.id == DoseSource.vial_id)
        .join(Account, at_its_place())
        .where(DoseSource.dose_id == dose_id)
        .order_by(DoseSource.position)
    ).all()


def _opened_with_it() -> Any:
    """Return whether the act that gave the dose opened the vial, too."""
    opening, own = aliased(Movement), aliased(Account)
    opened = select(opening.id).join(own, own.id == opening.to_id)
    return exists(
        opened.where(
            opening.kind == MovementKind.OPEN,
            opening.act_id == Movement.act_id,
            own.vial_id == DoseSource.vial_id,
        )
    )


def _corrected_since(session: Session, dose: Dose, sources: Sequence[Any]) -> list[Corrected]:
    """Return what was corrected of the dose's lots since it was recorded, each correction once."""
    words = later_words(session, {source.lot_id for source in sources})
    every = {(said.lot_id, said.position): said for told in words.values() for said in told}
    since = [said for said in every.values() if said.corrected_at >= dose.recorded_at]
    return sorted(since, key=lambda said: (said.corrected_at, said.lot_id, said.position))


def _findings(session: Session, dose_id: UUID) -> Sequence[Any]:
    decider, second = aliased(User), aliased(User)
    return session.execute(
        select(
            DoseFinding.code,
            DoseFinding.disposition,
            DoseFinding.message,
            DoseFinding.reason,
            DoseFinding.note,
            decider.display_name.label("decided_by"),
            second.display_name.label("second_person"),
        )
        .join(decider, decider.id == DoseFinding.decided_by_id)
        .outerjoin(second, second.id == DoseFinding.second_person_id)
        .where(DoseFinding.dose_id == dose_id)
        .order_by(DoseFinding.disposition, DoseFinding.code)
    ).all()


def _remainder(session: Session, sources: Sequence[Any]) -> int:
    """Return what was wasted of single-dose containers in the act that gave the dose, in microlitres."""
    vials = [source.vial_id for source in sources]
    wasted = session.scalars(
        select(Movement.amount_ul)
        .join(Account, Account.id == Movement.from_id)
        .where(
            Account.vial_id.in_(vials),
            Movement.kind == MovementKind.WASTE,
            Movement.reason == WasteReason.REMAINDER,
            Movement.act_id.in_([source.act_id for source in sources]),
        )
    )
    return sum(wasted)


def numbers_of_movements(
    session: Session, movement_ids: Collection[int]
) -> dict[int, list[tuple[UUID, str]]]:
    """Return by movement the doses drawn by it, as id and number in words: an amendment may have taken it over."""
    found: defaultdict[int, list[tuple[UUID, str]]] = defaultdict(list)
    rows = session.execute(
        select(DoseSource.movement_id, Dose.id, Site.code, Dose.number, DoseVoid.dose_id.is_not(None))
        .join(Dose, Dose.id == DoseSource.dose_id)
        .join(Site, Site.id == Dose.site_id)
        .outerjoin(DoseVoid, DoseVoid.dose_id == Dose.id)
        .where(DoseSource.movement_id.in_(movement_ids))
        .order_by(Dose.recorded_at, Dose.id)
    )
    for movement_id, dose_id, code, number, is_void in rows:
        words = f"Dose {written_number(code, number)}{', void' if is_void else ''}"
        found[movement_id].append((dose_id, words))
    return found


def void_of(session: Session, dose_id: UUID) -> Any:
    """Return how a dose became void (kind), with the id and number of the entry in its place; None while it stands."""
    later = aliased(Dose)
    return session.execute(
        select(DoseVoid.kind, later.id, later.number)
        .outerjoin(later, later.amends_id == DoseVoid.dose_id)
        .where(DoseVoid.dose_id == dose_id)
    ).first()


def not_given_by_id(session: Session, record_id: UUID) -> NotGiven:
    """Return the record of a dose that was not given. Raises Refusal NOT-FOUND."""
    record = session.get(NotGiven, record_id)
    if record is None:
        raise not_found("record")
    return record


def not_given_story(session: Session, record_id: UUID) -> tuple[NotGiven, str, str]:
    """Return the record with the names of its formulation and its site. Raises Refusal NOT-FOUND."""
    record = not_given_by_id(session, record_id)
    formulation = session.get_one(Formulation, record.formulation_id).name
    return record, formulation, session.get_one(Site, record.site_id).name


def get_incident(session: Session, incident_id: UUID) -> Incident:
    """Return the incident. Raises Refusal NOT-FOUND."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise not_found("incident")
    return incident


def person_named_by(session: Session, user_id: UUID | None) -> str:
    """Return the name of a person as it is now; empty where there is none."""
    return str(session.scalar(select(User.display_name).where(User.id == user_id)) or "") if user_id else ""
