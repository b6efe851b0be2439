"""What to order, from plain numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.reorder import rules


@given(
    usable=st.integers(0, 500), point=st.integers(0, 200), more=st.integers(1, 300), pack=st.integers(1, 50)
)
def test_an_order_is_whole_packs_and_reaches_the_level_with_none_to_spare(
    usable: int, point: int, more: int, pack: int
) -> None:
    order = rules.order_quantity(usable=usable, reorder_point=point, order_up_to=point + more, pack_size=pack)
    if usable > point:
        assert order == 0
    else:
        assert order % pack == 0
        assert usable + order >= point + more > usable + order - pack


@pytest.mark.parametrize(
    "usable, unusable, open_ul, levels, said",
    [
        (0, 0, 0, None, ("No levels", 0)),
        (0, 0, 0, (5, 10), ("Stock-out", 10)),
        (0, 3, 0, None, ("Stock-out", 0)),
        (0, 3, 500, (5, 10), ("Order now", 10)),
        (5, 0, 0, (5, 10), ("Order now", 5)),
        (6, 0, 0, (5, 10), ("Enough", 0)),
    ],
)
def test_advice_in_words(
    usable: int, unusable: int, open_ul: int, levels: tuple[int, int] | None, said: tuple[str, int]
) -> None:
    advice = rules.advise(usable=usable, unusable=unusable, open_ul=open_ul, levels=levels, pack_size=1)
    assert (advice.words, advice.order) == said


def test_days_of_supply() -> None:
    assert rules.days_of_supply(on_hand=10, used=90, over_days=90) == 10
    assert rules.days_of_supply(on_hand=10, used=0, over_days=90) is None
