"""Makes the secret address of a calendar feed, which is shown once, and revokes it (laws 5 and 11)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from inventory.audit.acts import Act, Outcome, perform
from inventory.interop.models import CalendarFeed
from inventory.kernel.errors import Refusal, not_found
from inventory.kernel.ids import uuid7
from inventory.kernel.permissions import Actor, Permission
from inventory.staff.tokens import new_token, token_hash

MOST_FEEDS = 10
"""Addresses that one person may have in use."""


@dataclass(frozen=True, slots=True)
class MadeFeed:
    """The secret of a feed, shown once; None when the same request had been carried out before."""

    token: str | None
    outcome: Outcome


def make_feed(
    *, actor: Actor, at: datetime, site_id: UUID, names_patients: bool, request_key: str | None = None
) -> MadeFeed:
    """Make the address of a feed of who is due at a site, with or without the patients' names.

    Raises Refusal FEED-NAMES for names to somebody who may not see patients, FEEDS-TOO-MANY, SITE-NOT-YOURS.
    """
    token = new_token()

    def write(act: Act) -> Outcome:
        if names_patients and not actor.can(Permission.PATIENT_READ):
            raise Refusal("FEED-NAMES", "Your role does not see patients' names.", "names_patients")
        mine = select(CalendarFeed.id).where(
            CalendarFeed.user_id == actor.id, CalendarFeed.revoked_at.is_(None)
        )
        if len(act.session.scalars(mine).all()) >= MOST_FEEDS:
            said = f"You have {MOST_FEEDS} addresses in use. Revoke one that you no longer need first."
            raise Refusal("FEEDS-TOO-MANY", said)
        feed = CalendarFeed(
            id=uuid7(),
            token_hash=token_hash(token),
            user_id=actor.id,
            site_id=site_id,
            names_patients=names_patients,
            created_at=at,
        )
        act.session.add(feed)
        act.session.flush()
        facts = {"names_patients": names_patients}
        return act.record("interop.make-feed", "calendar_feed", feed.id, site_id=site_id, facts=facts)

    outcome = perform(write, actor=actor, at=at, request_key=request_key)
    return MadeFeed(None if outcome.repeated else token, outcome)


def revoke_feed(*, actor: Actor, at: datetime, feed_id: UUID) -> Outcome:
    """Let an address of one's own lead nowhere from now on. Raises Refusal NOT-FOUND."""

    def write(act: Act) -> Outcome:
        feed = act.session.get(CalendarFeed, feed_id, populate_existing=True, with_for_update=True)
        if feed is None or feed.user_id != actor.id:
            raise not_found("calendar feed")
        if feed.revoked_at is None:
            feed.revoked_at = at
        act.session.flush()
        return act.record("interop.revoke-feed", "calendar_feed", feed_id)

    return perform(write, actor=actor, at=at)
