"""Runs docs/verify.py within the tests' own process: thousands of files in the time of one start of Python."""

import contextlib
import importlib.util
import io
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "docs" / "verify.py"
PROVEN, WRONG, UNPROVEN = 0, 1, 2


def loaded() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("verify_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verify = loaded()


def verified(data: bytes, *keys: str, rows: bytes | None = None) -> tuple[int, str]:
    """Return the exit status and the answer for a file."""
    said = io.StringIO()
    answer = verify.Answer()
    with contextlib.redirect_stdout(said):
        verify.judge(answer, data, list(keys), rows)
        status = verify.verdict(answer, list(keys))
    return status, said.getvalue()
