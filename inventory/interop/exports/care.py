"""What was given and to whom, as it is exported: doses, their containers, findings and ends; patients and what is known of them."""

from sqlalchemy import select
from sqlalchemy.orm import aliased

from inventory.clinic.models import Site
from inventory.doses.models import Dose, DoseFinding, DoseSource, DoseVoid, Incident, IncidentNote, NotGiven
from inventory.interop.exports.table import Column, Exported, person, record_number, site
from inventory.kernel.permissions import Permission
from inventory.patients.models import Alert, Consent, Patient, PatientMerge, PatientMergeUndo

_DOSES = (Permission.DOSE_READ,)
_PATIENTS = (Permission.PATIENT_READ,)
_BOTH = (Permission.DOSE_READ, Permission.PATIENT_READ)
_SITE = Column("site", "Code of the site", Site.code)
_NUMBER = Column("dose", "Number of the dose at its site", Dose.number)
_JOIN_SITE = ((Site, Site.id == Dose.site_id),)


def doses() -> Exported:
    """Every dose as it was recorded, void ones too."""
    return Exported(
        name="doses",
        title="Doses",
        row_is="One dose as it was recorded, void ones too",
        permission=_BOTH,
        source=Dose,
        joins=(*_JOIN_SITE, (DoseVoid, DoseVoid.dose_id == Dose.id)),
        order=(Dose.given_at, Dose.id),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        patient=Dose.patient_id,
        columns=(
            _SITE,
            _NUMBER,
            Column("given_on", "Day at the site", Dose.given_on),
            Column("given_at", "Instant in UTC", Dose.given_at),
            Column("time_zone", "The site's zone then", Dose.given_zone),
            Column("recorded_at", "Instant in UTC", Dose.recorded_at),
            Column("patient", "Record number then", Dose.patient_record_number),
            Column("patient_name", "Name then", Dose.patient_name),
            Column("born_on", "Birth date then", Dose.patient_born_on),
            Column("product", "Name of the product", Dose.product_name),
            Column("formulation", "Name of the formulation", Dose.formulation_name),
            Column("dose_ng", "Amount in nanograms", Dose.dose_ng),
            Column("volume_ul", "Volume in microlitres", Dose.volume_ul),
            Column("route", "IM", Dose.route),
            Column("body_site", "Where it was injected", Dose.body_site),
            Column("given_by", "Name of the giver then", Dose.giver_name),
            Column("credential", "Title and licence then", Dose.giver_credential),
            Column("recorded_by", "Username of who recorded it", person(Dose.actor_id)),
            Column("indication", "Why it was given", Dose.indication),
            Column("consent_seen", "yes or no", Dose.consent_seen),
            Column("identity_check", "ticked, typed, or empty", Dose.identity_check),
            Column("is_late", "Entered late: yes or no", Dose.is_late),
            Column("is_deviation", "Something spoke against it: yes or no", Dose.is_deviation),
            Column("void", "How it became void; empty while it stands", DoseVoid.kind),
            Column("note", "Free text", Dose.note),
        ),
    )


def dose_sources() -> Exported:
    """From which containers each dose was drawn."""
    return Exported(
        name="dose-containers",
        title="Containers of doses",
        row_is="One container a dose was drawn from",
        permission=_DOSES,
        source=DoseSource,
        joins=((Dose, Dose.id == DoseSource.dose_id), *_JOIN_SITE),
        order=(DoseSource.dose_id, DoseSource.position),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        columns=(
            _SITE,
            _NUMBER,
            Column("position", "1 for the first container", DoseSource.position),
            Column("lot", "Lot number then", DoseSource.lot_number),
            Column("expires_on", "Last usable day then", DoseSource.expires_on),
            Column("use_by_on", "Last day of the opened vial", DoseSource.use_by_on),
            Column("vial", "Number on its label", DoseSource.label_number),
            Column("volume_ul", "Volume drawn, in microlitres", DoseSource.volume_ul),
            Column("movement", "Number of the movement in the ledger", DoseSource.movement_id),
        ),
    )


def findings() -> Exported:
    """What the gate found, and what was decided."""
    return Exported(
        name="findings",
        title="Findings of the gate",
        row_is="One finding that stood when a dose was recorded",
        permission=_DOSES,
        source=DoseFinding,
        joins=((Dose, Dose.id == DoseFinding.dose_id), *_JOIN_SITE),
        order=(DoseFinding.dose_id, DoseFinding.code),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        columns=(
            _SITE,
            _NUMBER,
            Column("finding", "Code of the finding", DoseFinding.code),
            Column("disposition", "What was decided", DoseFinding.disposition),
            Column("message", "What was shown", DoseFinding.message),
            Column("reason", "Reason of an override", DoseFinding.reason),
            Column("note", "Free text", DoseFinding.note),
            Column("decided_by", "Username", person(DoseFinding.decided_by_id)),
            Column("second_person", "Username", person(DoseFinding.second_person_id)),
        ),
    )


def voids() -> Exported:
    """What became void, how and why."""
    return Exported(
        name="voids",
        title="Voids and amendments",
        row_is="One dose that became void",
        permission=_DOSES,
        source=DoseVoid,
        joins=((Dose, Dose.id == DoseVoid.dose_id), *_JOIN_SITE),
        order=(DoseVoid.dose_id,),
        sites=(Dose.site_id,),
        day=Dose.given_on,
        columns=(
            _SITE,
            _NUMBER,
            Column("kind", "What really happened", DoseVoid.kind),
            Column("reason", "Why", DoseVoid.reason),
            Column("voided_at", "Instant in UTC", DoseVoid.voided_at),
            Column("voided_by", "Username", person(DoseVoid.actor_id)),
        ),
    )


def not_given() -> Exported:
    """Doses that were not given."""
    return Exported(
        name="not-given",
        title="Doses not given",
        row_is="One dose that was not given",
        permission=_BOTH,
        source=NotGiven,
        order=(NotGiven.decided_at, NotGiven.id),
        sites=(NotGiven.site_id,),
        day=NotGiven.decided_on,
        patient=NotGiven.patient_id,
        columns=(
            Column("site", "Code of the site", site(NotGiven.site_id)),
            Column("number", "Number at its site", NotGiven.number),
            Column("decided_on", "Day at the site", NotGiven.decided_on),
            Column("decided_at", "Instant in UTC", NotGiven.decided_at),
            Column("patient", "Record number then", NotGiven.patient_record_number),
            Column("reason", "Why", NotGiven.reason),
            Column("note", "Free text", NotGiven.note),
            Column("recorded_by", "Name then", NotGiven.actor_name),
        ),
    )


def incidents() -> Exported:
    """What somebody had to look into."""
    return Exported(
        name="incidents",
        title="Deviations and incidents",
        row_is="One incident of a dose",
        permission=_DOSES,
        source=Incident,
        joins=((Dose, Dose.id == Incident.dose_id),),
        order=(Incident.opened_at, Incident.id),
        sites=(Incident.site_id,),
        day=Dose.given_on,
        columns=(
            Column("site", "Code of the site", site(Incident.site_id)),
            Column("number", "Number at its site", Incident.number),
            _NUMBER,
            Column("kind", "What it is", Incident.kind),
            Column("what", "What was noted", Incident.what),
            Column("opened_at", "Instant in UTC", Incident.opened_at),
            Column("opened_by", "Username", person(Incident.opened_by_id)),
            Column("closed_at", "Instant in UTC; empty while open", Incident.closed_at),
            Column("closed_by", "Username", person(Incident.closed_by_id)),
            Column("outcome", "What was found", Incident.outcome),
        ),
    )


def incident_notes() -> Exported:
    """What was found about incidents, step by step, and what was to be done."""
    return Exported(
        name="incident-follow-ups",
        title="Follow-ups of incidents",
        row_is="One follow-up of an incident",
        permission=_DOSES,
        source=IncidentNote,
        joins=((Incident, Incident.id == IncidentNote.incident_id), (Dose, Dose.id == Incident.dose_id)),
        order=(IncidentNote.noted_at, IncidentNote.id),
        sites=(Incident.site_id,),
        day=Dose.given_on,
        columns=(
            Column("site", "Code of the site", site(Incident.site_id)),
            Column("incident", "Number of the incident at its site", Incident.number),
            Column("number", "1 for the first follow-up", IncidentNote.number),
            Column("noted_at", "Instant in UTC", IncidentNote.noted_at),
            Column("noted_by", "Username", person(IncidentNote.actor_id)),
            Column("found", "What was found", IncidentNote.found),
            Column("action", "What was to be done next", IncidentNote.action),
            Column("due_on", "Until which day", IncidentNote.due_on),
            Column("assigned_to", "Username", person(IncidentNote.assigned_to_id)),
        ),
    )


def patients() -> Exported:
    """The patients whom the reader may see, as they are now."""
    return Exported(
        name="patients",
        title="Patients",
        row_is="One patient, as they are now",
        permission=_PATIENTS,
        source=Patient,
        order=(Patient.record_number_key, Patient.id),
        patient=Patient.id,
        is_timeless=True,
        columns=(
            Column("patient", "Record number", Patient.record_number),
            Column("family_name", "", Patient.family_name),
            Column("given_name", "", Patient.given_name),
            Column("born_on", "Birth date", Patient.born_on),
            Column("kept_as", "Number of the record it was merged into", _kept_as()),
            Column("state", "active, inactive or deceased", Patient.state),
            Column("died_on", "Day; of who died", Patient.died_on),
            Column("allergy_status", "Whether allergies were asked", Patient.allergy_status),
            Column("created_at", "Instant in UTC", Patient.created_at),
        ),
    )


def consents() -> Exported:
    """What patients decided."""
    return Exported(
        name="consents",
        title="Consents",
        row_is="One decision of a patient",
        permission=_PATIENTS,
        source=Consent,
        order=(Consent.decided_at, Consent.id),
        day=Consent.decided_at,
        patient=Consent.patient_id,
        columns=(
            Column("patient", "Record number", record_number(Consent.patient_id)),
            Column("decision", "given, refused or withdrawn", Consent.status),
            Column("information_sheet", "What they were given to read", Consent.information_sheet),
            Column("decided_at", "Instant in UTC", Consent.decided_at),
            Column("recorded_by", "Username", person(Consent.actor_id)),
        ),
    )


def alerts() -> Exported:
    """What must be known of a patient first."""
    return Exported(
        name="alerts",
        title="Alerts",
        row_is="One alert of a patient",
        permission=_PATIENTS,
        source=Alert,
        order=(Alert.noted_at, Alert.id),
        day=Alert.noted_at,
        patient=Alert.patient_id,
        columns=(
            Column("patient", "Record number", record_number(Alert.patient_id)),
            Column("alert", "What it is", Alert.kind),
            Column("note", "Free text", Alert.note),
            Column("noted_at", "Instant in UTC", Alert.noted_at),
            Column("noted_by", "Username", person(Alert.noted_by_id)),
            Column("resolved_at", "Instant in UTC; empty while it stands", Alert.resolved_at),
        ),
    )


def _kept_as() -> object:
    """Return the number of the record that is kept, of a record that was merged into it."""
    kept = aliased(Patient)
    found = select(kept.record_number).where(kept.id == Patient.person_id, kept.id != Patient.id)
    return found.correlate(Patient).scalar_subquery()


def merges() -> Exported:
    """Which records were found to be one person's, and which of that was undone."""
    undo = PatientMergeUndo
    return Exported(
        name="patient-merges",
        title="Merged records",
        row_is="One merge of two records of a person",
        permission=_PATIENTS,
        source=PatientMerge,
        joins=((undo, undo.merge_id == PatientMerge.id),),
        order=(PatientMerge.recorded_at, PatientMerge.id),
        day=PatientMerge.recorded_at,
        patient=PatientMerge.kept_id,
        columns=(
            Column("kept", "Record number of the one that is kept", record_number(PatientMerge.kept_id)),
            Column("merged", "Record number of the other", record_number(PatientMerge.merged_id)),
            Column("reason", "How it was known", PatientMerge.reason),
            Column("merged_at", "Instant in UTC", PatientMerge.recorded_at),
            Column("merged_by", "Username", person(PatientMerge.actor_id)),
            Column("undone_at", "Instant in UTC; empty while it stands", undo.recorded_at),
            Column("undone_by", "Username", person(undo.actor_id)),
            Column("undone_because", "Why it was a mistake", undo.reason),
        ),
    )


CARE = (
    doses,
    dose_sources,
    findings,
    voids,
    not_given,
    incidents,
    incident_notes,
    patients,
    merges,
    consents,
    alerts,
)
