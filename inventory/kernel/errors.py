"""Expected failures, as data: a stable code, words a nurse understands, and the field they belong to.

Every code is listed with what to do in docs/refusals.md; a test holds the two together.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Refusal(Exception):
    """The request is understood and refused; nothing was written.

    `code` is stable (such as LOT-EXPIRED), `message` is for the person, `field` names the form field, if one is at fault.
    """

    code: str
    message: str
    field: str | None = None
    status: int = 422

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Refusals(Exception):
    """Several refusals at once, for forms and imports that name everything wrong in one go."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(str(refusal) for refusal in refusals))
        self.refusals = refusals


def not_found(what: str) -> Refusal:
    """Return the refusal for an id that names nothing the person may see."""
    return Refusal("NOT-FOUND", f"This {what} does not exist, or is not yours to see.", status=404)


def site_not_yours() -> Refusal:
    """Return the refusal for an act at a site where the person does not work."""
    return Refusal("SITE-NOT-YOURS", "This belongs to a site at which you do not work.", status=403)
