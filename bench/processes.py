"""Each measurement is a process of its own, so that peak memory is its own; here it says what it found, and is asked."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMES = 2
"""How often a measurement is taken; the quickest counts, for whatever else the machine does only adds to it."""


def measure(*arguments: str) -> dict[str, Any]:
    """Run a measurement (`python -m` with these arguments), and return the quickest of what it printed."""
    command = [sys.executable, "-m", *arguments]
    found = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(TIMES)]
    return min((dict(json.loads(one)) for one in found), key=lambda one: one["seconds"])


def report_run(seconds: float, count: int, out: io.BytesIO) -> None:
    """Print one run as JSON, for `measure`."""
    size = out.getbuffer().nbytes
    print(json.dumps({"rows": count, "seconds": seconds, "megabytes": peak_megabytes(), "bytes": size}))


def peak_megabytes() -> float:
    """This process's peak resident memory so far, without what the process it was forked from had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1_024
    import resource  # noqa: PLC0415 - not on Windows, where a benchmark is not run

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_048_576
