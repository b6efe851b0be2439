"""Where a report keeps places free for signatures, read from the file itself. Apart from what draws it: pyHanko is large."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from pyhanko.pdf_utils.reader import PdfFileReader


class Place(NamedTuple):
    """A rectangle that is kept free for a signature: its name, its page (the first is 0), and left, bottom, right, top in points."""

    name: str
    page: int
    box: tuple[float, float, float, float]


def signature_places(pdf: BinaryIO) -> tuple[Place, ...]:
    """Return the places that a report keeps free for signatures, in their order; none in a file that has no such block."""
    reader = PdfFileReader(pdf, strict=False)
    if "/Dests" not in reader.root:
        return ()
    named = reader.root["/Dests"]
    pages = [reference.idnum for reference in _pages(reader.root["/Pages"])]
    found = []
    for name in sorted(key for key in named if key.startswith("/sign-")):
        destination = named[name]
        left, bottom, right, top = (float(destination[side]) for side in range(2, 6))
        page = pages.index(destination.raw_get(0).idnum)
        found.append(Place(name.removeprefix("/"), page, (left, bottom, right, top)))
    return tuple(found)


def _pages(node: Any) -> Iterator[Any]:
    for index in range(len(node["/Kids"])):
        kid = node["/Kids"][index]
        if "/Kids" in kid:
            yield from _pages(kid)
        else:
            yield node["/Kids"].raw_get(index)
