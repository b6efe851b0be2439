"""What an import looks up: products by code or name, the site and its locations; and calendar feeds by their secret."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from inventory.catalogue.models import Product
from inventory.catalogue.rules import gtin14
from inventory.clinic.models import Location, Site
from inventory.interop.models import CalendarFeed
from inventory.kernel.errors import Refusal
from inventory.staff.tokens import token_hash


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The products that can be received, by everything they may be called."""

    by_name: dict[str, list[Product]]

    def product(self, text: str) -> Product:
        """Return the product of this GTIN, NDC or exact name. Raises Refusal PRODUCT-UNKNOWN, PRODUCT-AMBIGUOUS."""
        found = self.by_name.get(_spelt(text), [])
        if not found:
            message = "No product has this GTIN, NDC or name. Add it to the catalogue first."
            raise Refusal("PRODUCT-UNKNOWN", message)
        if len(found) > 1:
            makers = ", ".join(sorted(product.maker or "no maker" for product in found))
            raise Refusal("PRODUCT-AMBIGUOUS", f"Several products have this name ({makers}). Use the GTIN.")
        return found[0]


def catalogue(session: Session) -> Catalogue:
    """Read the products that are not retired."""
    by_name: defaultdict[str, list[Product]] = defaultdict(list)
    for product in session.scalars(select(Product).where(Product.retired_at.is_(None))):
        codes = (product.gtin, product.ndc10, product.ndc11, product.name, f"{product.name}, {product.maker}")
        for called in {_spelt(code) for code in codes if code}:
            by_name[called].append(product)
    return Catalogue(dict(by_name))


def site_named(session: Session, code: str | None) -> Site:
    """Return the site of this code, or the only one. Raises Refusal SITE-UNKNOWN, SITE-NEEDED, NO-SITE."""
    sites: Sequence[Site] = session.scalars(select(Site).order_by(Site.code)).all()
    codes = ", ".join(site.code for site in sites)
    if not sites:
        raise Refusal("NO-SITE", "The clinic has no site yet.")
    if code is None and len(sites) > 1:
        raise Refusal("SITE-NEEDED", f"Say for which site, with --site CODE: {codes}.")
    found = [site for site in sites if code is None or site.code.casefold() == code.casefold()]
    if not found:
        raise Refusal("SITE-UNKNOWN", f"There is no site {code}. There are: {codes}.")
    return found[0]


def locations_by_name(session: Session, site_id: UUID) -> dict[str, UUID]:
    """Return the site's locations in use, by their name without regard to case."""
    rows = session.execute(
        select(Location.name, Location.id).where(Location.site_id == site_id, Location.closed_at.is_(None))
    )
    return {name.casefold(): location_id for name, location_id in rows}


def _spelt(text: str) -> str:
    """Return a code without hyphens, a GTIN as 14 digits, a name without regard to case and spacing."""
    digits = text.replace("-", "").strip()
    if re.fullmatch(r"[0-9]{8}|[0-9]{12,14}", digits):
        return gtin14(digits)
    return digits if digits.isdigit() else " ".join(text.casefold().split())


def feeds_of(session: Session, user_id: UUID) -> Sequence[Any]:
    """Return a person's calendar feeds with the name of their site, those in use first, then the newest."""
    order = (CalendarFeed.revoked_at.is_not(None), CalendarFeed.created_at.desc(), CalendarFeed.id)
    statement = select(CalendarFeed, Site.name).join(Site, Site.id == CalendarFeed.site_id)
    return session.execute(statement.where(CalendarFeed.user_id == user_id).order_by(*order).limit(50)).all()


def feed_by_token(session: Session, token: str) -> CalendarFeed | None:
    """Return the feed of this secret, unless it was revoked."""
    hashed = token_hash(token)
    return session.scalar(
        select(CalendarFeed).where(CalendarFeed.token_hash == hashed, CalendarFeed.revoked_at.is_(None))
    )
