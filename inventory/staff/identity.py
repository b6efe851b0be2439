"""Who is at the browser: a person and their session as one request found them. Plain data, so that no act makes it stale."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from inventory.kernel.permissions import EVERY_DAY, ROLE_PERMISSIONS, Actor, Days, Permission, Role


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A signed-in person, their roles as they are now, and the session they come with.

    `site_id` is the site chosen for the session; `site_ids` are those they work at, None for every site.
    `days` are those whose records they may see; `access_until` is when their access ends, if it does.
    """

    id: UUID
    username: str
    display_name: str
    roles: frozenset[Role]
    credential: str
    licence_expires_on: date | None
    session_id: UUID
    site_id: UUID | None
    site_ids: frozenset[UUID] | None = None
    days: Days = EVERY_DAY
    access_until: datetime | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the person's id, as Flask-Login and the log name them."""
        return str(self.id)

    def can(self, permission: Permission) -> bool:
        """Tell whether any of the person's roles grants `permission`."""
        return any(permission in ROLE_PERMISSIONS[role] for role in self.roles)

    @property
    def actor(self) -> Actor:
        """The same person as the one in whose name an act is done."""
        return Actor(
            id=self.id,
            name=self.display_name,
            roles=self.roles,
            credential=self.credential,
            site_ids=self.site_ids,
            days=self.days,
        )


class Nobody:
    """A visitor who is not signed in."""

    is_authenticated = False
    is_active = False
    is_anonymous = True
    display_name = ""
    site_ids = None
    days = EVERY_DAY
    access_until = None
    roles: frozenset[Role] = frozenset()

    def get_id(self) -> None:
        """Nobody has no id."""
        return

    def can(self, _permission: Permission) -> bool:
        """Nobody may do nothing."""
        return False
