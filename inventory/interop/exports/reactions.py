"""Reactions to doses, as they are exported: what was told, news of it, what prescribers decided."""

from inventory.clinic.models import Site
from inventory.doses.models import Dose
from inventory.doses.reaction_models import Reaction, ReactionDecision, ReactionFollowUp, ReactionRetraction
from inventory.interop.exports.table import Column, Exported, person
from inventory.kernel.permissions import Permission

_BOTH = (Permission.DOSE_READ, Permission.PATIENT_READ)
_OF_DOSE = ((Dose, Dose.id == Reaction.dose_id), (Site, Site.id == Dose.site_id))
_ABOUT = (
    Column("site", "Code of the site", Site.code),
    Column("dose", "Number of the dose at its site", Dose.number),
    Column("patient", "Record number then", Dose.patient_record_number),
    Column("reaction", "The same for every row about one reaction", Reaction.case_id),
)


def reactions() -> Exported:
    """Every reaction as it was told, corrected and retracted ones too."""
    return Exported(
        name="reactions",
        title="Reactions",
        row_is="One reaction as it was told; a correction is a row of its own",
        permission=_BOTH,
        source=Reaction,
        joins=(*_OF_DOSE, (ReactionRetraction, ReactionRetraction.case_id == Reaction.case_id)),
        order=(Reaction.recorded_at, Reaction.id),
        sites=(Reaction.site_id,),
        day=Dose.given_on,
        patient=Reaction.patient_id,
        columns=(
            *_ABOUT,
            Column("row", "Names this row", Reaction.id),
            Column("corrects", "The row it takes the place of", Reaction.corrects_id),
            Column("correction_reason", "Free text", Reaction.correction_reason),
            Column("symptoms", "Of the closed set", Reaction.symptoms),
            Column("other_symptom", "Free text", Reaction.other_symptom),
            Column("severity", "mild, moderate or severe", Reaction.severity),
            Column("seriousness", "Regulatory criteria; empty is not serious", Reaction.criteria),
            Column("asks_prescriber", "Blocks further doses until decided: yes or no", Reaction.is_grave),
            Column("onset_at", "Instant in UTC", Reaction.onset_at),
            Column("actions", "What was done", Reaction.actions),
            Column("outcome", "How it was when told", Reaction.outcome),
            Column("reporter", "Who told of it", Reaction.reporter),
            Column("note", "Free text", Reaction.note),
            Column("recorded_at", "Instant in UTC", Reaction.recorded_at),
            Column("recorded_by", "Username", person(Reaction.actor_id)),
            Column("retracted_at", "Instant in UTC; empty while it stands", ReactionRetraction.retracted_at),
            Column("retraction_reason", "Free text", ReactionRetraction.reason),
        ),
    )


def follow_ups() -> Exported:
    """How reactions stood later."""
    return Exported(
        name="reaction-follow-ups",
        title="News of reactions",
        row_is="One piece of news of a reaction",
        permission=_BOTH,
        source=ReactionFollowUp,
        joins=((Reaction, Reaction.id == ReactionFollowUp.case_id), *_OF_DOSE),
        order=(ReactionFollowUp.recorded_at, ReactionFollowUp.id),
        sites=(Reaction.site_id,),
        day=Dose.given_on,
        patient=Reaction.patient_id,
        columns=(
            *_ABOUT,
            Column("happened_at", "Instant in UTC", ReactionFollowUp.happened_at),
            Column("outcome", "How it was", ReactionFollowUp.outcome),
            Column("note", "Free text", ReactionFollowUp.note),
            Column("recorded_at", "Instant in UTC", ReactionFollowUp.recorded_at),
            Column("recorded_by", "Username", person(ReactionFollowUp.actor_id)),
        ),
    )


def decisions() -> Exported:
    """What prescribers decided about further doses."""
    return Exported(
        name="reaction-decisions",
        title="Decisions about reactions",
        row_is="One decision about further doses",
        permission=_BOTH,
        source=ReactionDecision,
        joins=((Reaction, Reaction.id == ReactionDecision.said_id), *_OF_DOSE),
        order=(ReactionDecision.decided_at, ReactionDecision.id),
        sites=(Reaction.site_id,),
        day=Dose.given_on,
        patient=Reaction.patient_id,
        columns=(
            *_ABOUT,
            Column("row", "The row of the reaction it was decided on", ReactionDecision.said_id),
            Column("decision", "may_continue, other_formulation or stop", ReactionDecision.kind),
            Column("reason", "Free text", ReactionDecision.reason),
            Column("decided_at", "Instant in UTC", ReactionDecision.decided_at),
            Column("decided_by", "Username", person(ReactionDecision.actor_id)),
        ),
    )


REACTIONS = (reactions, follow_ups, decisions)
