"""The clinic in which doses are timed: nurses, patients without a dose today, and shelves that will not run out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from inventory.audit.acts import batch
from inventory.doses.queries.containers import DoseRequest
from inventory.doses.rules.sourcing import Draw
from inventory.doses.rules.terms import BodySite, EntryMode
from inventory.kernel import clock
from inventory.kernel.permissions import Actor, Role
from inventory.stock.ledger import Place
from tests.factories.catalogue import make_multi_dose_product, make_product
from tests.factories.clinic import locations_of, make_site
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery, make_open_vial

NURSES = 8
VIAL_UL = 1_000_000
_CONTAINERS = 20_000


@dataclass(frozen=True)
class Start:
    """The ids of the starting clinic; they hold for every copy of its database."""

    nurses: tuple[Actor, ...]
    patients: tuple[UUID, ...]
    place: Place
    lot_id: UUID
    vial_id: UUID | None = None
    """The one opened vial from which every dose is drawn; None where each opens a container of its own."""

    def request(self, patient: int) -> DoseRequest:
        """Return the dose of 1,000 mcg into the left arm that patient number `patient` is given."""
        return DoseRequest(
            mode=EntryMode.ABOUT_TO_GIVE,
            site_id=self.place.site_id,
            patient_id=self.patients[patient],
            draws=(Draw(self.lot_id, self.place.location_id, self.vial_id, 1_000),),
            dose_ng=1_000_000,
            volume_ul=1_000,
            body_site=BodySite.LEFT_DELTOID,
            indication="B12 deficiency",
            consent_seen=True,
        )


def build_start(patients: int, *, of_one_vial: bool = False) -> Start:
    """Build the starting clinic in the present application's empty database, yesterday; return its ids.

    With `of_one_vial`, all there is lies in one opened vial, of a size that no pharmacy knows.
    """
    with clock.frozen(datetime.now(UTC) - timedelta(days=1)):
        site = make_site(locations=("Cabinet",))
        nurses = tuple(make_actor(Role.PRACTITIONER) for _ in range(NURSES))
        place = Place(site.id, locations_of(site)[0].id)
        product = make_multi_dose_product(container_volume_ul=VIAL_UL) if of_one_vial else make_product()
        lot = make_delivery(product_id=product.id, place=place, containers=1 if of_one_vial else _CONTAINERS)
        lot_id, vial_id = lot.id, make_open_vial(lot, place=place).id if of_one_vial else None
        made: list[UUID] = []
        while len(made) < patients:
            with batch():
                made += [
                    make_patient(record_number=f"R-{len(made) + n:06d}")
                    for n in range(min(100, patients - len(made)))
                ]
    return Start(nurses, tuple(made), place, lot_id, vial_id)
