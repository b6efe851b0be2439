"""Finding a browser: the system's own, the package manager's, Playwright's, and else one line and a failure."""

import pytest

from tests.support import browser_setup


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine without any browser; what was tried to get one."""
    tried: list[str] = []
    monkeypatch.setattr(browser_setup, "find_chromium", lambda: None)
    monkeypatch.setattr(browser_setup, "_run", lambda *command: tried.append(" ".join(command)) or False)
    monkeypatch.setattr(browser_setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    return tried


def test_asks_the_package_manager_as_root_and_playwright_last(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_setup.os, "geteuid", lambda: 0)
    assert browser_setup.main() == 1
    assert ran[0] == "apt-get update"
    assert "chromium" in ran[1]
    assert ran[2].endswith("-m playwright install chromium")


def test_leaves_the_package_manager_alone_without_root(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_setup.os, "geteuid", lambda: 1000)
    assert browser_setup.main() == 1
    assert len(ran) == 1
    assert "playwright" in ran[0]


def test_says_in_one_line_what_to_install(ran: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert browser_setup.main() == 1
    assert capsys.readouterr().err == browser_setup.ADVICE + "\n"
    assert ran


def test_installs_nothing_where_there_is_one(ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_setup, "find_chromium", lambda: "/usr/bin/chromium")
    assert browser_setup.main() == 0
    assert ran == []
