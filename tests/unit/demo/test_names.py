"""The demo's people: hardly two of one name, and a few whose names try a page's patience."""

import random

from inventory.demo.names import invented_names


def test_names_are_hardly_ever_the_same_but_for_the_namesakes() -> None:
    names = list(invented_names(20_000, random.Random(1)))  # noqa: S311  an invented clinic keeps no secret
    assert len(names) == 20_000
    assert len(set(names)) > 19_900
    assert names.count(("Silva", "Ana")) == 2


def test_names_fit_a_record() -> None:
    names = list(invented_names(60_000, random.Random(1)))  # noqa: S311  an invented clinic keeps no secret
    assert max(len(part) for name in names for part in name) <= 200
    assert max(len(family) for family, _ in names) > 35
