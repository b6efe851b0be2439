"""Signing in: who comes in, who does not, and how little a stranger learns."""

from collections.abc import Callable

from inventory.kernel.permissions import Role
from tests.factories.clinic import make_site
from tests.factories.staff import PASSWORD, make_user
from tests.support.client import CheckingClient


def test_lets_in_who_knows_name_and_password(client: CheckingClient) -> None:
    make_site()
    make_user(username="nora", roles=Role.ADMIN, password=PASSWORD)
    answer = client.submit("/sign-in?next=/account", {"username": " Nora ", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/account")


def test_signed_in_client_is_signed_in(signed_in_client: Callable[..., CheckingClient]) -> None:
    make_site()
    answer = signed_in_client(Role.ADMIN).get("/sign-in")
    assert answer.status_code == 302
