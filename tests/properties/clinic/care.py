"""What patients get: doses before and after the fact, from one container or several, kept vials, voids, amendments, corrected lots."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy import or_, select

from inventory.catalogue.models import ContainerType
from inventory.doses.models import Dose, DoseVoid
from inventory.doses.queries.containers import DoseRequest, UnknownLot
from inventory.doses.rules.sourcing import Draw, Supply, plan_draws
from inventory.doses.rules.terms import BodySite, EntryMode, VoidKind
from inventory.doses.services import amend_dose, correct_lot, dedicate_vial, record_dose, void_dose
from inventory.doses.services.correcting import draws_of
from inventory.kernel.db import db
from inventory.stock.ledger import Place
from inventory.stock.models import Hold, Lot, LotCorrection
from inventory.stock.services.correcting import Correction, RightExpiry
from tests.conftest import AT
from tests.factories.patients import make_patient
from tests.properties.clinic.shelves import Back
from tests.properties.clinic.world import BACK, PICK, PLACE, World

DOSE = st.sampled_from([250, 500, 1_000, 1_000, 1_500])
SOMEBODY_NEW = 5
PATIENT = st.integers(0, SOMEBODY_NEW)
KINDS = st.sampled_from([VoidKind.NEVER_OPENED, VoidKind.DRAWN_NOT_GIVEN])
THIGHS = st.sampled_from([BodySite.LEFT_VASTUS_LATERALIS, BodySite.RIGHT_VASTUS_LATERALIS])
CORRECTED = st.sampled_from(["A", "B", "A", "B", "C", "T1"])


class Care(World):
    """The rules of doses, and of lots whose number or expiry was mistyped."""

    patients: list[UUID]

    def patient(self, which: int) -> UUID:
        """Return one of few patients, or for the higher numbers somebody new, who had no dose today."""
        self.patients = getattr(self, "patients", [])
        if which > 1 or which >= len(self.patients):
            self.patients.append(make_patient(at=self.now))
            return self.patients[-1]
        return self.patients[which]

    def draws(self, lot: Lot, place: Place, volume_ul: int) -> tuple[Draw, ...]:
        kind = ContainerType(lot.container_type)
        supply = Supply(lot.id, place.location_id, None, kind, lot.container_volume_ul, 99)
        return tuple(plan_draws(volume_ul, [supply]))

    def request(self, draws: tuple[Draw, ...], place: Place, who: int, back: Back) -> DoseRequest:
        volume_ul = sum(draw.volume_ul for draw in draws)
        return DoseRequest(
            mode=EntryMode.ALREADY_GIVEN if back else EntryMode.ABOUT_TO_GIVE,
            given_at=self.moment(back),
            site_id=place.site_id,
            patient_id=self.patient(who),
            draws=draws,
            dose_ng=volume_ul * 1_000,
            volume_ul=volume_ul,
            body_site=BodySite.LEFT_VASTUS_LATERALIS,
            indication="B12 deficiency",
            consent_seen=True,
        )

    def give(self, name: str, request: DoseRequest) -> None:
        held = [self.is_held(draw) for draw in request.draws]
        done = self.attempt(name, lambda at: record_dose(actor=self.nurse, at=at, request=request))
        assert not (done and any(held) and request.mode is EntryMode.ABOUT_TO_GIVE), "nothing held is given"

    @staticmethod
    def is_held(draw: Draw) -> bool:
        """Tell whether a hold covers the container, as its row says."""
        db.session.rollback()
        of_lot = Hold.location_id.is_(None) & Hold.vial_id.is_(None)
        of_place = Hold.location_id == draw.location_id
        covers = or_(of_lot, of_place, Hold.vial_id == draw.vial_id) if draw.vial_id else of_lot | of_place
        standing = select(Hold.id).where(Hold.lot_id == draw.lot_id, Hold.released_at.is_(None), covers)
        return db.session.scalars(standing).first() is not None

    @rule(which=PICK, volume_ul=DOSE, who=PATIENT, back=BACK)
    def give_sealed(self, which: int, volume_ul: int, who: int, back: Back) -> None:
        lot, place = self.shelf(which)
        self.give("give", self.request(self.draws(lot, place, volume_ul), place, who, back))

    @precondition(lambda self: self.vials())
    @rule(which=PICK, volume_ul=DOSE, who=PATIENT, back=BACK, keep=st.booleans())
    def give_of_vial(self, which: int, volume_ul: int, who: int, back: Back, *, keep: bool) -> None:
        vial = self.pick(self.vials(), which)
        place = self.place_at(vial.location_id)
        draws = (Draw(vial.lot_id, vial.location_id, vial.id, volume_ul),)
        self.give("give of a vial", replace(self.request(draws, place, who, back), dedicate=keep))

    @rule(number=st.sampled_from(["A", "NEVER", "T1"]), product=st.integers(0, 1), where=PLACE, who=PATIENT)
    def give_of_unknown_lot(self, number: str, product: int, where: int, who: int) -> None:
        place = self.places[where]
        typed = UnknownLot(self.products[product].id, number, date(2027, 1, 31), place.location_id)
        request = self.request((), place, who, (3, False))
        request = replace(request, volume_ul=1_000, dose_ng=1_000_000, unknown_lot=typed)
        self.attempt(
            "give of an unknown lot", lambda at: record_dose(actor=self.nurse, at=at, request=request)
        )

    @precondition(lambda self: self.vials())
    @rule(which=PICK, who=PATIENT)
    def keep_vial(self, which: int, who: int) -> None:
        vial, patient_id = self.pick(self.vials(), which), self.patient(who)
        self.attempt(
            "keep a vial",
            lambda at: dedicate_vial(actor=self.nurse, at=at, vial_id=vial.id, patient_id=patient_id),
            changes_ul=0,
        )

    # ------------------------------------------------------------------------------------------------ corrections

    def doses(self) -> Sequence[Dose]:
        """Return every dose, the valid ones first, of those the newest."""
        db.session.rollback()
        is_void = Dose.id.in_(select(DoseVoid.dose_id))
        return db.session.scalars(select(Dose).order_by(is_void, Dose.id.desc())).all()

    @precondition(lambda self: self.doses())
    @rule(which=PICK, kind=KINDS)
    def void(self, which: int, kind: VoidKind) -> None:
        dose = self.pick(self.doses(), which)
        self.attempt(
            f"void ({kind})",
            lambda at: void_dose(actor=self.prescriber, at=at, dose_id=dose.id, kind=kind, reason="Tried"),
        )

    @rule(which=PICK, volume_ul=DOSE, of_vial=st.booleans())
    def give_and_void_at_once(self, which: int, volume_ul: int, *, of_vial: bool) -> None:
        """A dose that is voided as never opened leaves every account of every lot as it was."""
        before, known = self.balances(), {dose.id for dose in self.doses()}
        if of_vial and self.vials():
            self.give_of_vial(which, volume_ul, SOMEBODY_NEW, None, keep=False)
        else:
            self.give_sealed(which, volume_ul, SOMEBODY_NEW, None)
        for dose_id in {dose.id for dose in self.doses()} - known:
            self.attempt(
                "void at once",
                lambda at, dose_id=dose_id: void_dose(
                    actor=self.nurse, at=at, dose_id=dose_id, kind=VoidKind.NEVER_OPENED, reason="Tried"
                ),
            )
            assert self.balances() == before

    @precondition(lambda self: self.doses())
    @rule(which=PICK, how=st.integers(0, 3), of=PICK, volume_ul=DOSE, site=THIGHS, back=BACK)
    def amend(self, *, which: int, how: int, of: int, volume_ul: int, site: BodySite, back: Back) -> None:
        """Amend an entry: the words alone, its volume, or the container it came from, at its time or at another."""
        dose = self.pick(self.doses(), which)
        draws, (lot, place) = draws_of(db.session(), dose.id), self.shelf(of)
        if how == 1 and len(draws) == 1:
            draws = (replace(draws[0], volume_ul=volume_ul),)
        elif how == 2:
            draws = self.draws(lot, place, volume_ul)
        elif how == 3 and (vials := self.vials()):
            vial = self.pick(vials, of)
            draws = (Draw(vial.lot_id, vial.location_id, vial.id, volume_ul),)
        asked = self.request(draws, place, 0, back)
        request = replace(asked, patient_id=dose.patient_id, body_site=site, site_id=dose.site_id)
        self.attempt(
            "amend",
            lambda at: amend_dose(
                actor=self.prescriber, at=at, dose_id=dose.id, request=request, reason="Tried"
            ),
        )

    @rule(
        which=PICK,
        number=CORRECTED,
        days=st.integers(-3, 300) | st.none(),
        right=st.sampled_from(RightExpiry),
    )
    def correct(self, which: int, number: str, days: int | None, right: RightExpiry) -> None:
        """Correct a lot; where another one has the number, the two are one."""
        lots = self.lots()
        lot = self.pick(lots, which)
        twin = next(
            (one for one in lots if (one.lot_number, one.product_id) == (number, lot.product_id)), None
        )
        correction = Correction(
            lot_id=lot.id,
            lot_number=number,
            expires_on=lot.expires_on if days is None else AT.date() + timedelta(days=days),
            reason="Tried",
            approved_by=self.manager,
            merge_with=twin.id if twin else None,
            right_expiry=right,
        )
        self.attempt(
            "merge lots" if twin and twin.id != lot.id else "correct a lot",
            lambda at: correct_lot(actor=self.manager, at=at, correction=correction),
            changes_ul=0,
        )

    @invariant()
    def no_hold_is_lost(self) -> None:
        """What held a lot that went over into another one holds that one, until somebody releases it there."""
        db.session.rollback()
        merged = select(LotCorrection.lot_id, LotCorrection.merged_into_id, LotCorrection.corrected_at)
        for lot_id, into_id, merged_at in db.session.execute(
            merged.where(LotCorrection.merged_into_id.is_not(None))
        ):
            of_both = select(Hold).where(
                Hold.lot_id.in_((lot_id, into_id)), Hold.location_id.is_(None), Hold.vial_id.is_(None)
            )
            holds = db.session.scalars(of_both).all()
            stood = {
                hold.kind
                for hold in holds
                if hold.lot_id == lot_id
                and hold.held_at <= merged_at
                and (hold.released_at is None or hold.released_at > merged_at)
            }
            assert stood <= {hold.kind for hold in holds if hold.lot_id == into_id}
