"""No test speaks to another machine: a connection beyond loopback fails at once, and says to whom."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


class BeyondLoopbackError(AssertionError):
    """A test tried to reach another machine."""


def _guarded_connect(self: socket.socket, address: Any) -> None:
    _refuse_beyond_loopback(self, address)
    _connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    _refuse_beyond_loopback(self, address)
    return _connect_ex(self, address)


def _refuse_beyond_loopback(connecting: socket.socket, address: Any) -> None:
    if connecting.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(str(address[0])):
        raise BeyondLoopbackError(f"a test tried to connect to {address[0]}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def only_loopback() -> Iterator[None]:
    """Refuse connections beyond this machine inside the block."""
    with (
        patch.object(socket.socket, "connect", _guarded_connect),
        patch.object(socket.socket, "connect_ex", _guarded_connect_ex),
    ):
        yield
