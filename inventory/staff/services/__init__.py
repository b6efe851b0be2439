"""Every write about people: entries, passwords and links, sign-in and sessions. Each is one act in the trail."""

from inventory.staff.services.access import Bounds, set_access
from inventory.staff.services.confirming import confirm_person, refuse_from_elsewhere
from inventory.staff.services.links import (
    IssuedLink,
    issue_link,
    issue_setup_code,
    spend_link,
    spend_setup_code,
)
from inventory.staff.services.passwords import change_password, set_password
from inventory.staff.services.people import (
    add_person,
    deactivate_person,
    edit_person,
    reactivate_person,
    set_sites,
)
from inventory.staff.services.sessions import (
    choose_site,
    end_session,
    end_sessions_of,
    mark_seen,
    sign_out,
    start_session,
)
from inventory.staff.services.sign_in import Entrance, TooManyTries, sign_in

__all__ = [
    "Bounds",
    "Entrance",
    "IssuedLink",
    "TooManyTries",
    "add_person",
    "change_password",
    "choose_site",
    "confirm_person",
    "deactivate_person",
    "edit_person",
    "end_session",
    "end_sessions_of",
    "issue_link",
    "issue_setup_code",
    "mark_seen",
    "reactivate_person",
    "refuse_from_elsewhere",
    "set_access",
    "set_password",
    "set_sites",
    "sign_in",
    "sign_out",
    "spend_link",
    "spend_setup_code",
    "start_session",
]
