"""What the database's refusals mean to a person: a constraint's or trigger's name becomes a Refusal, in this one place.

The triggers speak `law:<name>:<table>` (see migrations/sql). Rooms add what their own unique constraints mean with
`means`. Whatever is not known here is a defect, and crashes loudly.
"""

import re

from sqlalchemy.exc import IntegrityError

from inventory.kernel.errors import Refusal

_LAW = re.compile(r"law:([a-z_]+):([a-z_]+)")

_BY_LAW = {
    "never_negative_past": Refusal(
        "STOCK-SHORT-THEN", "At that time there was not so much there. Check the time, the lot and the vial."
    ),
    "product_frozen": Refusal(
        "PRODUCT-FROZEN",
        "Strength, volume and container are fixed since the first lot arrived. Make a new version of the product.",
    ),
    "finished_once": Refusal("ALREADY-DONE", "Somebody has done this already. Load the page again."),
    "vial_on_its_way": Refusal(
        "VIAL-ON-ITS-WAY", "This vial is on its way to another place. Receive it there first."
    ),
    "incident_open": Refusal("ALREADY-DONE", "This incident is closed already."),
    "lot_by_correction": Refusal(
        "LOT-CORRECTED-MEANWHILE", "Somebody corrected this lot meanwhile. Load the page again."
    ),
    "transfer_within_sent": Refusal(
        "TRANSFER-MORE-THAN-SENT",
        "More cannot arrive than was sent. Count again; what is too many was found at the place it left.",
    ),
    "merge_of_heads": Refusal(
        "MERGED-ALREADY", "One of these records was merged into another already. Merge that one instead."
    ),
    "closed_vial_is_empty": Refusal(
        "VIAL-NOT-EMPTY", "The vial still holds something. Waste the rest first."
    ),
}
_BY_CONSTRAINT: dict[str, Refusal] = {
    "ck_account_never_negative": Refusal("STOCK-SHORT", "There is not so much there any more."),
    "uq_movement_reverses_id": Refusal("ALREADY-REVERSED", "This was reversed already."),
}
_BY_COLUMNS: dict[str, Refusal] = {
    "movement.reverses_id": Refusal("ALREADY-REVERSED", "This was reversed already."),
}
_TWINS: set[str] = set()


def means(refusal: Refusal, *, constraint: str, columns: str) -> None:
    """Declare what a violated unique constraint says to a person.

    PostgreSQL names the `constraint`, SQLite the `columns` (as in `patient.record_number_key`, joined by a comma and a space).
    """
    _BY_CONSTRAINT[constraint] = refusal
    _BY_COLUMNS[columns] = refusal


def born_twice(*constraints: str) -> None:
    """Declare unique constraints of rows that an act adds where it finds none: who came second finds it when tried again."""
    _TWINS.update(constraints)


def is_twin(error: BaseException | None) -> bool:
    """Tell whether somebody else added, at the same moment, a row that this act was about to add (PostgreSQL alone)."""
    diag = getattr(getattr(error, "orig", None), "diag", None)
    return getattr(diag, "constraint_name", None) in _TWINS


def refusal_for(error: IntegrityError) -> Refusal | None:
    """Return what the database's refusal means, or None when it is a defect of ours."""
    words = str(error.orig)
    law = _LAW.search(words)
    if law:
        return _BY_LAW.get(law.group(1))
    for names in (_BY_CONSTRAINT, _BY_COLUMNS):
        for name, refusal in names.items():
            if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.,])", words):
                return refusal
    return None
