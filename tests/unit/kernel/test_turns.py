"""Writers of SQLite are served in the order they came."""

import threading
import time

from inventory.kernel.ids import uuid7
from inventory.kernel.turns import FairLock


def test_serves_waiters_first_come() -> None:
    lock, served, threads = FairLock(), [], []
    lock.acquire()

    def wait(name: int) -> None:
        lock.acquire()
        served.append(name)
        lock.release()

    for name in range(6):
        thread = threading.Thread(target=wait, args=(name,))
        thread.start()
        threads.append(thread)
        while len(lock._waiting) <= name:
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join(timeout=10)
    assert served == list(range(6))


def test_can_be_taken_again() -> None:
    lock = FairLock()
    for _ in range(3):
        lock.acquire()
        lock.release()


def test_ids_sort_by_the_time_they_were_made() -> None:
    first = uuid7()
    time.sleep(0.002)
    second = uuid7()
    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first < second
