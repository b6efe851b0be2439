"""The places that a report keeps free for signatures, read from its file. Only what signs asks, so that nothing else loads pyHanko."""

from typing import NamedTuple

from pyhanko.pdf_utils.reader import PdfFileReader


class Place(NamedTuple):
    """A rectangle that is kept free for a signature: its name, its page, and left, bottom, right, top in points.

    The page is named by the number of its object in the file: which page it is by count takes reading every page before it.
    """

    name: str
    page_object: int
    box: tuple[float, float, float, float]


def signature_places(reader: PdfFileReader) -> tuple[Place, ...]:
    """Return the places that a report keeps free for signatures, in their order; none in a file that has no such block."""
    if "/Dests" not in reader.root:
        return ()
    named = reader.root["/Dests"]
    found = []
    for name in sorted(key for key in named if key.startswith("/sign-")):
        destination = named[name]
        left, bottom, right, top = (float(destination[side]) for side in range(2, 6))
        found.append(Place(name.removeprefix("/"), destination.raw_get(0).idnum, (left, bottom, right, top)))
    return tuple(found)
