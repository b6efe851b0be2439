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
from tests.factories.catalogue import make_product
from tests.factories.clinic import locations_of, make_site
from tests.factories.patients import make_patient
from tests.factories.staff import make_actor
from tests.factories.stock import make_delivery

NURSES = 8
_CONTAINERS = 20_000


@dataclass(frozen=True)
class Start:
    """The ids of the starting clinic; they hold for every copy of its database."""

    nurses: tuple[Actor, ...]
    patients: tuple[UUID, ...]
    place: Place
    lot_id: UUID

    def request(self, patient: int) -> DoseRequest:
        """Return the dose of 1,000 mcg into the left arm that patient number `patient` is given."""
        return DoseRequest(
            mode=EntryMode.ABOUT_TO_GIVE,
            site_id=self.place.site_id,
            patient_id=self.patients[patient],
            draws=(Draw(self.lot_id, self.place.location_id, None, 1_000),),
            dose_ng=1_000_000,
            volume_ul=1_000,
            body_site=BodySite.LEFT_DELTOID,
            indication="B12 deficiency",
            consent_seen=True,
        )


def build_start(patients: int) -> Start:
    """Build the starting clinic in the present application's empty database, yesterday; return its ids."""
    with clock.frozen(datetime.now(UTC) - timedelta(days=1)):
        site = make_site(locations=("Cabinet",))
        nurses = tuple(make_actor(Role.PRACTITIONER) for _ in range(NURSES))
        place = Place(site.id, locations_of(site)[0].id)
        lot = make_delivery(product_id=make_product().id, place=place, containers=_CONTAINERS)
        made: list[UUID] = []
        while len(made) < patients:
            with batch():
                made += [
                    make_patient(record_number=f"R-{len(made) + n:06d}")
                    for n in range(min(100, patients - len(made)))
                ]
    return Start(nurses, tuple(made), place, lot.id)
