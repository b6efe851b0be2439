"""Site rotation: suggest the least recently used of the sites the clinic allows (domain.md section 4)."""

from collections.abc import Iterable, Sequence

from inventory.doses.rules.gate import Limits
from inventory.doses.rules.terms import BUTTOCKS, DELTOIDS, HIPS, THIGHS, BodySite


def allowed_sites(limits: Limits) -> list[BodySite]:
    """Return the sites the clinic injects into, arms first."""
    return [
        site
        for site in BodySite
        if site in DELTOIDS | THIGHS
        or (site in HIPS and limits.hip_enabled)
        or (site in BUTTOCKS and limits.buttock_enabled)
    ]


def next_site(used_newest_first: Iterable[BodySite], allowed: Sequence[BodySite]) -> BodySite:
    """Return the allowed site whose last use lies furthest back; a site never used comes first, in the order of `allowed`."""
    last_use = {site: index for index, site in reversed(list(enumerate(used_newest_first)))}
    never = len(last_use) + max(last_use.values(), default=0) + 1
    return max(allowed, key=lambda site: (last_use.get(site, never), -allowed.index(site)))
