"""Volumes of a reconciliation in words."""

import pytest

from inventory.stock.presenters.reconciliation import whole_containers


@pytest.mark.parametrize(
    "volume_ul, container_ul, words",
    [
        (30_000, 10_000, "3"),
        (-10_000, 10_000, "-1"),
        (12_340_000, 10_000, "1,234"),
        (9_999, 10_000, ""),
        (0, 10_000, ""),
        (10_000, 0, ""),
    ],
)
def test_containers_are_told_only_where_they_are_whole(volume_ul: int, container_ul: int, words: str) -> None:
    assert whole_containers(volume_ul, container_ul) == words
