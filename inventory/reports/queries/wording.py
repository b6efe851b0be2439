"""The words a document uses for the codes that are stored."""

from inventory.doses.models import BodySite, VoidKind

BODY_SITES: dict[str, str] = {
    BodySite.LEFT_DELTOID: "Left deltoid",
    BodySite.RIGHT_DELTOID: "Right deltoid",
    BodySite.LEFT_VASTUS_LATERALIS: "Left vastus lateralis",
    BodySite.RIGHT_VASTUS_LATERALIS: "Right vastus lateralis",
    BodySite.LEFT_VENTROGLUTEAL: "Left ventrogluteal",
    BodySite.RIGHT_VENTROGLUTEAL: "Right ventrogluteal",
    BodySite.LEFT_DORSOGLUTEAL: "Left dorsogluteal",
    BodySite.RIGHT_DORSOGLUTEAL: "Right dorsogluteal",
}

VOID_KINDS: dict[str, str] = {
    VoidKind.NEVER_OPENED: "Never opened",
    VoidKind.DRAWN_NOT_GIVEN: "Drawn, not given",
    VoidKind.WRONG_ENTRY: "Wrong entry",
    VoidKind.AMENDED: "Amended",
}
