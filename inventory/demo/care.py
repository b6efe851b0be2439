"""What happens in the demo's treatment room: doses given, late, voided, amended, overridden, deviating, and not given."""

import heapq
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from inventory.demo.people import SHEET, DemoPatient
from inventory.demo.products import Article, by_key
from inventory.demo.shelf import Shelf
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import (
    BodySite,
    EntryMode,
    NotGivenReason,
    OverrideReason,
    VoidKind,
)
from inventory.doses.services import (
    Decisions,
    Override,
    amend_dose,
    record_dose,
    record_not_given,
    void_dose,
)
from inventory.doses.services.correcting import draws_of
from inventory.doses.services.not_given import NotGivenRequest
from inventory.kernel.db import db
from inventory.kernel.permissions import Actor
from inventory.patients.models import ConsentStatus

ARMS = (BodySite.LEFT_DELTOID, BodySite.RIGHT_DELTOID)
ROTATION = (*ARMS, BodySite.LEFT_VASTUS_LATERALIS, BodySite.RIGHT_VASTUS_LATERALIS)
THIGHS = (BodySite.LEFT_VASTUS_LATERALIS, BodySite.RIGHT_VASTUS_LATERALIS)
SEEN = frozenset(
    {
        "BLEEDING-RISK",
        "PATIENT-NAMESAKE",
        "CONSENT-NOT-RECORDED",
        "POTASSIUM-NO-PLAN",
        "LABS-NO-BASELINE",
        "BENZYL-ALCOHOL-PREGNANCY",
    }
)
_MISSED = (
    (NotGivenReason.NOT_ATTENDED, ""),
    (NotGivenReason.UNWELL, "Fever since yesterday; comes again next week."),
    (NotGivenReason.REFUSED, ""),
    (NotGivenReason.NOT_ATTENDED, "Called: had forgotten."),
    (NotGivenReason.OTHER, "Had a dose at another clinic last week."),
)


@dataclass(frozen=True, slots=True)
class Team:
    """Who gives: in turn by weight, the prescriber where a decision is needed."""

    givers: tuple[Actor, ...]
    weights: tuple[int, ...]
    prescriber: Actor


@dataclass(frozen=True, slots=True)
class Given:
    """A dose just recorded, as the next minute may need it again."""

    dose_id: UUID
    patient: DemoPatient
    article: Article
    request: DoseRequest
    decisions: Decisions
    giver: Actor
    at: datetime

    @property
    def soon_after(self) -> datetime:
        """When something is done about it."""
        return self.at + timedelta(seconds=20)


@dataclass(slots=True)
class TreatmentRoom:
    """Gives one dose after another to whoever is due. `made` counts the doses recorded, amendments too; `most` ends it."""

    site_id: UUID
    team: Team
    shelf: Shelf
    formulations: dict[str, UUID]
    rng: random.Random
    most: int
    made: int = 0
    _voids: int = 0
    _due: list[tuple[int, int, DemoPatient]] = field(default_factory=list)
    _declined: list[DemoPatient] = field(default_factory=list)

    def expect(self, patients: list[DemoPatient], first_on: date) -> None:
        """Put everybody who is treated on the list of who is due, over the first weeks."""
        for patient in patients:
            if patient.is_treated:
                due_on = first_on.toordinal() + self.rng.randrange(28)
                heapq.heappush(self._due, (due_on, patient.number, patient))
            else:
                self._declined.append(patient)

    def serve(self, at: datetime, today: date) -> None:
        """Give a dose to the next who is due, and let happen what sometimes happens."""
        given = self._give(self._next(today), at, today)
        chance = self.rng.random()
        if chance < 0.012:
            self._void(given)
        elif chance < 0.024 and self.made < self.most:
            self._amend(given)
        elif chance < 0.060:
            self._miss(given.soon_after, today)
        elif chance < 0.070:
            self.shelf.break_one(given.article.key, given.soon_after)
        elif chance < 0.076 and self.made < self.most and not given.article.is_multi:
            self._repeat(given)

    def keep_a_vial(self, article_key: str, at: datetime, today: date) -> None:
        """Open a vial at the chair of somebody who is treated with the article: it is kept for them from their dose on."""
        due = [one for one in self._due if one[2].article == article_key and one[2].last_on != today]
        if not due or self.made >= self.most:
            return
        self._due.remove(min(due))
        heapq.heapify(self._due)
        patient = min(due)[2]
        self._later(patient, today)
        article = by_key(article_key)
        vial = self.shelf.open_another(article_key, at)
        location_id = self.shelf.stocks[article_key].place.location_id
        draw = Draw(vial.lot_id, location_id, vial.vial_id, article.volume_ul)
        request = self._request(patient, article, (draw,), self._body_site(patient, article.volume_ul))
        self._record(patient, article, replace(request, dedicate=True), at + timedelta(seconds=30))

    def deviate(self, lot_id: UUID, article_key: str, at: datetime, today: date) -> None:
        """Record a dose that was given from a lot on hold, after the fact: the truth is written down, as a deviation."""
        if self.made >= self.most:
            return
        article = by_key(article_key)
        place = self.shelf.stocks[article_key].place
        draw = Draw(lot_id, place.location_id, None, article.content_ul)
        patient = self._next(today)
        request = replace(
            self._request(patient, article, (draw,), THIGHS[0]),
            mode=EntryMode.ALREADY_GIVEN,
            given_at=at - timedelta(minutes=4),
            note="Taken from the fridge before the hold label was seen.",
        )
        self._record(patient, article, request, at)

    def _next(self, today: date) -> DemoPatient:
        """Take the patient who is longest due and had nothing today."""
        waiting = []
        while True:
            due = heapq.heappop(self._due)
            if due[2].last_on != today:
                break
            waiting.append(due)
        for other in waiting:
            heapq.heappush(self._due, other)
        self._later(due[2], today)
        return due[2]

    def _later(self, patient: DemoPatient, today: date) -> None:
        patient.given += 1
        patient.last_on = today
        due_on = today.toordinal() + patient.interval_days + self.rng.randrange(-1, 4)
        heapq.heappush(self._due, (due_on, patient.number, patient))

    def _give(self, patient: DemoPatient, at: datetime, today: date) -> Given:
        article = by_key(patient.article)
        if self.shelf.is_forgotten(self.shelf.stocks[article.key], today):
            article = by_key("hydroxo-1")
        times = 2 if self.rng.random() * 100 < article.doubled else 1
        body_site = self._body_site(patient, article.volume_ul * times)
        draws = self.shelf.draws(article.key, at, times=times)
        request = self._request(patient, article, draws, body_site)
        if not article.is_multi and self.rng.random() < 0.06:
            request = self._written_later(request, at)
        given = self._record(patient, article, request, at)
        self.shelf.tidy(article.key, at)
        return given

    def _record(self, patient: DemoPatient, article: Article, request: DoseRequest, at: datetime) -> Given:
        """Record a dose by somebody of the team; by the prescriber, with a decision, where the patient's record asks for one."""
        (giver,) = self.rng.choices(self.team.givers, self.team.weights)
        decisions = Decisions(acknowledged=SEEN)
        if patient.story.needs_prescriber:
            giver = self.team.prescriber
            note = "Contact allergy only; earlier doses tolerated, observed for 30 minutes."
            override = Override(OverrideReason.TOLERATED_BEFORE, giver, note)
            decisions = Decisions(acknowledged=SEEN, overrides={"ALLERGY-COBALAMIN": override})
        dose_id = record_dose(actor=giver, at=at, request=request, decisions=decisions).subject_id
        self.made += 1
        return Given(dose_id, patient, article, request, decisions, giver, at)

    def _request(
        self, patient: DemoPatient, article: Article, draws: tuple[Draw, ...], body_site: BodySite
    ) -> DoseRequest:
        volume_ul = sum(draw.volume_ul for draw in draws)
        has_consent = patient.story.consent is ConsentStatus.GIVEN
        return DoseRequest(
            mode=EntryMode.ABOUT_TO_GIVE,
            site_id=self.site_id,
            patient_id=patient.patient_id,
            draws=draws,
            dose_ng=article.dose_mcg * 1_000 * volume_ul // article.volume_ul,
            volume_ul=volume_ul,
            body_site=body_site,
            indication=patient.indication,
            consent_seen=has_consent,
            information_sheet=SHEET if has_consent else None,
            needle="23 G, 25 mm",
        )

    def _body_site(self, patient: DemoPatient, volume_ul: int) -> BodySite:
        """Take the next site in turn, now and then the same again; two millilitres go into a thigh."""
        if self.rng.random() > 0.07:
            patient.next_site += 1
        sites = THIGHS if volume_ul > 1_000 else ROTATION
        return sites[patient.next_site % len(sites)]

    def _written_later(self, request: DoseRequest, at: datetime) -> DoseRequest:
        """Make it a dose that is written down afterwards, some minutes or hours, unless its lot came in meanwhile."""
        given_at = at - timedelta(minutes=self.rng.choice((8, 15, 25, 95, 180)))
        if any(self.shelf.arrived_at[draw.lot_id] >= given_at for draw in request.draws):
            return request
        return replace(request, mode=EntryMode.ALREADY_GIVEN, given_at=given_at)

    def _void(self, given: Given) -> None:
        draws = given.request.draws
        self._voids += 1
        if len(draws) == 1 and draws[0].vial_id is None and self._voids % 2:
            kind, reason = VoidKind.NEVER_OPENED, "Wrong patient chosen in the list; nothing was opened."
            self.shelf.put_back(given.article.key, draws[0].lot_id)
        else:
            kind, reason = VoidKind.DRAWN_NOT_GIVEN, "Patient felt faint before the injection; discarded."
        void_dose(actor=given.giver, at=given.soon_after, dose_id=given.dose_id, kind=kind, reason=reason)

    def _amend(self, given: Given) -> None:
        sites = THIGHS if given.request.body_site in THIGHS else ARMS
        other = sites[1 - sites.index(given.request.body_site)]
        draws = draws_of(db.session(), given.dose_id)
        amend_dose(
            actor=given.giver,
            at=given.soon_after,
            dose_id=given.dose_id,
            request=replace(given.request, body_site=other, draws=draws),
            reason="The other side: corrected after looking at the patient's card.",
            decisions=given.decisions,
        )
        self.made += 1

    def _miss(self, at: datetime, today: date) -> None:
        """Record that somebody who was due got nothing."""
        if self._declined and self.rng.random() < 0.25:
            patient, (reason, note) = self._declined[0], (NotGivenReason.REFUSED, "Does not want injections.")
        else:
            patient, (reason, note) = self._next(today), self.rng.choice(_MISSED)
            patient.given -= 1
        formulation = self.formulations[by_key(patient.article).formulation]
        missed = NotGivenRequest(self.site_id, patient.patient_id, formulation, reason, note)
        record_not_given(actor=self.team.givers[0], at=at, request=missed)

    def _repeat(self, given: Given) -> None:
        """Record a second dose on one day, after the fact and by nobody's order: a deviation."""
        at = given.soon_after
        again = replace(
            given.request,
            mode=EntryMode.ALREADY_GIVEN,
            draws=self.shelf.draws(given.article.key, at, times=len(given.request.draws)),
            given_at=at - timedelta(seconds=5),
            body_site=THIGHS[1],
            note="Given twice by mistake; patient informed and well.",
        )
        self._record(given.patient, given.article, again, at)
