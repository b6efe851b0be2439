"""Several people at the same moment: each in a thread and a session of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask import Flask

from inventory.kernel.db import db

T = TypeVar("T")


def at_once(app: Flask, acts: Sequence[Callable[[], T]]) -> list[T]:
    """Carry out the acts, all begun at one moment, and return what they returned; raise what one of them raised."""
    start, results, errors = threading.Barrier(len(acts)), [], []

    def work(act: Callable[[], T]) -> None:
        with app.app_context():
            start.wait()
            try:
                results.append(act())
            except BaseException as error:  # noqa: BLE001  raised again by the test's own thread
                errors.append(error)

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    db.session.rollback()
    return results
