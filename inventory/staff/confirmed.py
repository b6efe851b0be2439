"""Whose word a form carries besides that of the person signed in: their own name and password, typed beside it."""

from uuid import UUID

from inventory.kernel.clock import now
from inventory.kernel.permissions import Actor
from inventory.staff.current import address
from inventory.staff.services import confirm_person
from inventory.web.forms import ClinicForm


def confirmed_by(form: ClinicForm, who: str, site_id: UUID) -> Actor | None:
    """Return who confirmed in the fields `<who>_username` and `<who>_password`; None where nobody is named.

    Raises Refusal as `confirm_person`: their word counts at sites where they work.
    """
    username, password = f"{who}_username", f"{who}_password"
    if not form[username].data:
        return None
    return confirm_person(
        username=str(form[username].data),
        password=str(form[password].data),
        at=now(),
        address=address(),
        field=username,
        site_id=site_id,
    )
