"""Protocols, courses with what was decided about them, and what lets a dose be given without an order, as they are exported."""

from inventory.catalogue.models import Formulation
from inventory.courses.models import (
    Authority,
    Course,
    CourseChange,
    CourseSlot,
    Protocol,
    ProtocolStep,
    ProtocolVersion,
)
from inventory.doses.models import Dose, DoseAuthority, DoseSlot
from inventory.interop.exports.table import Column, Exported, person, site
from inventory.kernel.permissions import Permission
from inventory.patients.models import Patient

_PATIENTS = (Permission.PATIENT_READ,)
_BOTH = (Permission.DOSE_READ, Permission.PATIENT_READ)
_PROTOCOL = (
    (ProtocolVersion, ProtocolVersion.id == Course.protocol_version_id),
    (Protocol, Protocol.id == ProtocolVersion.protocol_id),
    (Formulation, Formulation.id == Course.formulation_id),
)
_PATIENT = (Patient, Patient.id == Course.patient_id)


def protocol_steps() -> Exported:
    """Every step of every version of every protocol."""
    return Exported(
        name="protocol-steps",
        title="Protocols",
        row_is="One step of one version of a protocol",
        permission=_PATIENTS,
        source=ProtocolStep,
        joins=(
            (ProtocolVersion, ProtocolVersion.id == ProtocolStep.version_id),
            (Protocol, Protocol.id == ProtocolVersion.protocol_id),
        ),
        order=(ProtocolStep.version_id, ProtocolStep.position),
        is_timeless=True,
        columns=(
            Column("protocol", "Name", Protocol.name),
            Column("version", "Number of the version", ProtocolVersion.number),
            Column("step", "Number of the step", ProtocolStep.position),
            Column("dose_ng", "Amount in nanograms", ProtocolStep.dose_ng),
            Column("every", "How many of the unit", ProtocolStep.interval_count),
            Column("unit", "day, week, month, or thrice for three times a week", ProtocolStep.interval_unit),
            Column("doses", "How many; empty until decided", ProtocolStep.doses),
            Column("until", "Until what", ProtocolStep.until_text),
            Column("days_early", "Days before the day that are on time", ProtocolStep.tolerance_early_days),
            Column("days_late", "Days after the day that are on time", ProtocolStep.tolerance_late_days),
            Column("for_substance", "Empty for any", ProtocolVersion.for_substance),
            Column("review_months", "A prescriber reviews after", ProtocolVersion.review_months),
            Column("source", "Where it comes from", ProtocolVersion.source),
            Column("published_at", "Instant in UTC", ProtocolVersion.published_at),
            Column("published_by", "Username", person(ProtocolVersion.actor_id)),
            Column("withdrawn_at", "Instant in UTC; empty while it is used", Protocol.withdrawn_at),
        ),
    )


def courses() -> Exported:
    """Every course as it was ordered."""
    return Exported(
        name="courses",
        title="Courses",
        row_is="One course as it was ordered",
        permission=_PATIENTS,
        source=Course,
        joins=(*_PROTOCOL, _PATIENT),
        order=(Course.recorded_at, Course.id),
        sites=(Course.site_id,),
        day=Course.recorded_at,
        patient=Course.patient_id,
        columns=(
            Column("course", "Its id", Course.id),
            Column("site", "Code of the site", site(Course.site_id)),
            Column("patient", "Record number", Patient.record_number),
            Column("protocol", "Name", Protocol.name),
            Column("version", "Number of the version", ProtocolVersion.number),
            Column("formulation", "Name of the formulation", Formulation.name),
            Column("route", "IM or SC", Course.route),
            Column("least_dose_ng", "Amount in nanograms", Course.least_dose_ng),
            Column("most_dose_ng", "Amount in nanograms", Course.most_dose_ng),
            Column("doses_a_day", "How many doses on one day", Course.doses_a_day),
            Column("starts_on", "First dose due", Course.starts_on),
            Column("review_on", "Review by", Course.review_on),
            Column("stops_on", "Last day of the order", Course.stops_on),
            Column("indication", "Why it was ordered", Course.indication),
            Column("ordered_by", "Username of the prescriber", person(Course.ordered_by_id)),
            Column("recorded_at", "Instant in UTC", Course.recorded_at),
        ),
    )


def course_changes() -> Exported:
    """What was decided about courses."""
    return Exported(
        name="course-changes",
        title="Decisions about courses",
        row_is="One decision about a course or a dose that was due",
        permission=_PATIENTS,
        source=CourseChange,
        joins=((Course, Course.id == CourseChange.course_id), _PATIENT),
        order=(CourseChange.at, CourseChange.id),
        sites=(Course.site_id,),
        day=CourseChange.at,
        patient=Course.patient_id,
        columns=(
            Column("course", "Id of the course", CourseChange.course_id),
            Column("patient", "Record number", Patient.record_number),
            Column("number", "Which decision about the course", CourseChange.number),
            Column("decision", "What was decided", CourseChange.kind),
            Column("reason", "Free text", CourseChange.reason),
            Column("step", "In which step of the protocol", CourseChange.step_position),
            Column("for_later_steps", "yes or no", CourseChange.for_later_steps),
            Column("dose_ng", "New amount in nanograms", CourseChange.dose_ng),
            Column("least_dose_ng", "New least amount", CourseChange.least_dose_ng),
            Column("most_dose_ng", "New most amount", CourseChange.most_dose_ng),
            Column("every", "New interval, how many of the unit", CourseChange.interval_count),
            Column("unit", "day, week, month or thrice", CourseChange.interval_unit),
            Column("next_due_on", "Next dose due", CourseChange.next_due_on),
            Column("review_on", "Next review by", CourseChange.review_on),
            Column("decided_by", "Username", person(CourseChange.actor_id)),
            Column("decided_at", "Instant in UTC", CourseChange.at),
        ),
    )


def course_slots() -> Exported:
    """Every dose that is or was due."""
    return Exported(
        name="course-slots",
        title="Doses that were due",
        row_is="One dose of a course that is or was due",
        permission=_PATIENTS,
        source=CourseSlot,
        joins=((Course, Course.id == CourseSlot.course_id), _PATIENT),
        order=(CourseSlot.planned_at, CourseSlot.id),
        sites=(CourseSlot.site_id,),
        day=CourseSlot.due_on,
        patient=Course.patient_id,
        columns=(
            Column("course", "Id of the course", CourseSlot.course_id),
            Column("patient", "Record number", Patient.record_number),
            Column("number", "Which one of the course", CourseSlot.number),
            Column("due_on", "The day", CourseSlot.due_on),
            Column("opens_on", "First day on time", CourseSlot.opens_on),
            Column("closes_on", "Last day on time", CourseSlot.closes_on),
            Column("dose_ng", "Amount in nanograms", CourseSlot.dose_ng),
            Column("state", "open, given, missed, skipped or withdrawn", CourseSlot.state),
            Column("given_on", "Day it was given", CourseSlot.given_on),
            Column("planned_at", "Instant in UTC", CourseSlot.planned_at),
        ),
    )


def dose_slots() -> Exported:
    """Which dose fulfilled what was due."""
    return Exported(
        name="dose-slots",
        title="Doses of courses",
        row_is="One dose, void ones too, and what was due that it fulfilled",
        permission=_BOTH,
        source=DoseSlot,
        joins=((Dose, Dose.id == DoseSlot.dose_id), (CourseSlot, CourseSlot.id == DoseSlot.slot_id)),
        order=(DoseSlot.dose_id,),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        patient=Dose.patient_id,
        columns=(
            Column("site", "Code of the site", site(Dose.site_id)),
            Column("dose", "Number of the dose at its site", Dose.number),
            Column("course", "Id of the course", CourseSlot.course_id),
            Column("number", "Which dose that was due of the course", CourseSlot.number),
        ),
    )


def authorities() -> Exported:
    """Standing orders and group directions."""
    return Exported(
        name="authorities",
        title="Standing orders and group directions",
        row_is="One document for one formulation",
        permission=_PATIENTS,
        source=Authority,
        joins=((Formulation, Formulation.id == Authority.formulation_id),),
        order=(Authority.recorded_at, Authority.id),
        is_timeless=True,
        columns=(
            Column("kind", "standing_order or group_direction", Authority.kind),
            Column("document", "Its name", Authority.document),
            Column("version", "Its version", Authority.document_version),
            Column("formulation", "Name of the formulation", Formulation.name),
            Column("route", "IM or SC", Authority.route),
            Column("least_dose_ng", "Amount in nanograms", Authority.least_dose_ng),
            Column("most_dose_ng", "Amount in nanograms", Authority.most_dose_ng),
            Column("valid_from", "First day", Authority.valid_from),
            Column("expires_on", "Last day", Authority.expires_on),
            Column("recorded_by", "Username", person(Authority.actor_id)),
            Column("recorded_at", "Instant in UTC", Authority.recorded_at),
            Column("withdrawn_at", "Instant in UTC; empty while it holds", Authority.withdrawn_at),
            Column("withdrawn_reason", "Free text", Authority.withdrawn_reason),
        ),
    )


def dose_authorities() -> Exported:
    """Which doses were given under which document."""
    return Exported(
        name="dose-authorities",
        title="Doses under a standing order",
        row_is="One dose given without an order of the patient's own",
        permission=_BOTH,
        source=DoseAuthority,
        joins=(
            (Dose, Dose.id == DoseAuthority.dose_id),
            (Authority, Authority.id == DoseAuthority.authority_id),
        ),
        order=(DoseAuthority.dose_id,),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        patient=Dose.patient_id,
        columns=(
            Column("site", "Code of the site", site(Dose.site_id)),
            Column("dose", "Number of the dose at its site", Dose.number),
            Column("document", "Its name", Authority.document),
            Column("version", "Its version", Authority.document_version),
        ),
    )


COURSES = (protocol_steps, courses, course_changes, course_slots, dose_slots, authorities, dose_authorities)
