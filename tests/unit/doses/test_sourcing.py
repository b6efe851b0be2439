"""From which containers a volume comes, and which site is next."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from inventory.catalogue.models import ContainerType
from inventory.doses.rules.gate import Limits
from inventory.doses.rules.rotation import allowed_sites, next_site
from inventory.doses.rules.sourcing import Supply, plan_draws
from inventory.doses.rules.terms import BodySite

LOCATION = uuid4()


def ampoules(containers: int, content_ul: int = 1_000) -> Supply:
    return Supply(uuid4(), LOCATION, None, ContainerType.SINGLE_DOSE, content_ul, containers)


def test_spills_over_to_the_next_lot() -> None:
    first, second = ampoules(1), ampoules(5)
    draws = plan_draws(2_500, [first, second])
    assert [(d.lot_id, d.volume_ul) for d in draws] == [
        (first.lot_id, 1_000),
        (second.lot_id, 1_000),
        (second.lot_id, 500),
    ]


def test_takes_a_multi_dose_vial_alone() -> None:
    vial = Supply(uuid4(), LOCATION, uuid4(), ContainerType.MULTI_DOSE, 10_000, 1)
    draws = plan_draws(12_000, [vial, ampoules(9)])
    assert [(d.vial_id, d.volume_ul) for d in draws] == [(vial.vial_id, 12_000)]


@given(volume_ul=st.integers(1, 20_000), counts=st.lists(st.integers(0, 6), min_size=1, max_size=4))
def test_draws_add_up_and_never_take_more_than_a_container_holds(volume_ul: int, counts: list[int]) -> None:
    draws = plan_draws(volume_ul, [ampoules(count) for count in counts])
    assert sum(draw.volume_ul for draw in draws) == volume_ul
    assert all(0 < draw.volume_ul <= 1_000 for draw in draws)


def test_suggests_a_site_never_used_before_one_that_was() -> None:
    sites = allowed_sites(Limits())
    assert next_site([], sites) == BodySite.LEFT_DELTOID
    assert next_site([BodySite.LEFT_DELTOID], sites) == BodySite.RIGHT_DELTOID


def test_suggests_the_site_used_longest_ago() -> None:
    sites = allowed_sites(Limits())
    newest_first = [
        BodySite.RIGHT_VASTUS_LATERALIS,
        BodySite.LEFT_DELTOID,
        BodySite.RIGHT_DELTOID,
        BodySite.LEFT_VASTUS_LATERALIS,
        BodySite.RIGHT_DELTOID,
    ]
    assert next_site(newest_first, sites) == BodySite.LEFT_VASTUS_LATERALIS


def test_leaves_hip_and_buttock_out_until_they_are_switched_on() -> None:
    assert len(allowed_sites(Limits())) == 4
    assert BodySite.LEFT_VENTROGLUTEAL in allowed_sites(Limits(hip_enabled=True))
    assert BodySite.RIGHT_DORSOGLUTEAL in allowed_sites(Limits(buttock_enabled=True))
