"""The application served by waitress on a free loopback port, in a thread of the test run."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from waitress.server import create_server


@dataclass(frozen=True)
class LiveServer:
    """Where an application is served: `url` without a slash at its end."""

    url: str
    app: Flask


@contextmanager
def served(app: Flask) -> Iterator[LiveServer]:
    """Serve `app` inside the block."""
    sockets: dict[int, Any] = {}
    server = create_server(
        app, map=sockets, host="127.0.0.1", port=0, threads=4, clear_untrusted_proxy_headers=True
    )
    thread = threading.Thread(target=server.run, name="live-server", daemon=True)
    thread.start()

    def stop() -> None:
        for channel in list(sockets.values()):
            channel.close()

    try:
        yield LiveServer(f"http://127.0.0.1:{server.effective_port}", app)
    finally:
        # Inside the server's own loop, which ends when its last socket is closed.
        server.trigger.pull_trigger(stop)
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive(), "the live server did not stop"
