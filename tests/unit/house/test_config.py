"""Settings: what is read, what is refused, and that a demo and a clinic never share a file."""

import stat
import sys
from pathlib import Path

import pytest

from config import SettingError, is_loopback, kept_secret, load_config, with_driver


def env(tmp_path: Path, **settings: str) -> dict[str, str]:
    return {"INSTANCE": str(tmp_path), **settings}


def test_clinic_is_kept_in_sqlite_where_nothing_is_said(tmp_path: Path) -> None:
    config = load_config(env(tmp_path))
    assert config["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path.as_posix()}/clinic.sqlite3"
    assert config["DEMO"] is False


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgresql_address_gets_our_driver(scheme: str) -> None:
    assert with_driver(f"{scheme}://anna@127.0.0.1/clinic") == "postgresql+psycopg://anna@127.0.0.1/clinic"


@pytest.mark.parametrize(
    "url", ["mysql://127.0.0.1/clinic", "clinic.sqlite3", "postgresql+asyncpg://127.0.0.1/clinic"]
)
def test_refuses_a_database_it_does_not_speak(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="DATABASE_URL"):
        load_config(env(tmp_path, DATABASE_URL=url))


def test_demo_never_touches_the_clinic(tmp_path: Path) -> None:
    settings = env(
        tmp_path,
        DATABASE_URL="postgresql://127.0.0.1/clinic",
        DATABASE_OWNER_URL="postgresql://o@127.0.0.1/clinic",
    )
    clinic, demo = load_config(settings), load_config(settings, demo=True)
    assert demo["SQLALCHEMY_DATABASE_URI"].endswith("/demo.sqlite3")
    assert demo["OWNER_DATABASE_URI"] is None
    assert demo["SECRET_KEY"] != clinic["SECRET_KEY"]
    assert demo["SESSION_COOKIE_NAME"] != clinic["SESSION_COOKIE_NAME"]


def test_demo_signs_with_a_key_of_its_own(tmp_path: Path) -> None:
    own = tmp_path / "own.p12"
    own.touch()
    settings = env(tmp_path, SIGNING_P12=str(own), TSA_URL="https://tsa.example.org/tsa")
    clinic, demo = load_config(settings), load_config(settings, demo=True)
    assert (clinic["SIGNING_P12"], clinic["TSA_URL"]) == (str(own), "https://tsa.example.org/tsa")
    assert (demo["SIGNING_P12"], demo["TSA_URL"]) == (None, None)
    assert demo["SIGNING_KEY_FILE"] != clinic["SIGNING_KEY_FILE"]
    assert demo["SIGNING_PASSWORD"] != clinic["SIGNING_PASSWORD"]


def test_demo_and_the_clinics_database_are_not_named_together(tmp_path: Path) -> None:
    both = env(tmp_path, DEMO="1", DATABASE_URL="postgresql://127.0.0.1/clinic")
    with pytest.raises(SettingError, match="leave DEMO or DATABASE_URL out"):
        load_config(both)
    assert not list(tmp_path.iterdir())
    assert load_config(both | {"DEMO": "0"})["DEMO"] is False
    own = env(tmp_path, DEMO="1", DEMO_DATABASE_URL="postgresql://127.0.0.1/demo")
    assert load_config(own)["SQLALCHEMY_DATABASE_URI"].endswith("/demo")


def test_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = load_config(env(tmp_path)), load_config(env(tmp_path))
    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) >= 43
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret_key", "signing_password"]


def test_second_process_reads_the_secret_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret_key"
    path.write_text("the first one's")
    monkeypatch.setattr(Path, "exists", lambda _self: False)
    assert kept_secret(path) == "the first one's"


def test_cookies_are_for_https_only_behind_a_proxy(tmp_path: Path) -> None:
    plain, https = load_config(env(tmp_path)), load_config(env(tmp_path, BEHIND_TLS_PROXY="1"))
    assert plain["SESSION_COOKIE_SECURE"] is False
    assert https["SESSION_COOKIE_SECURE"] is True
    assert https["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert https["SESSION_COOKIE_PATH"] == "/"


@pytest.mark.parametrize(
    "name,value",
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٨٠"),
        ("SESSION_IDLE_MINUTES", "1.5"),
        ("DEMO", "perhaps"),
        ("BEHIND_TLS_PROXY", "2"),
        ("SIGNING_P12", "nowhere.p12"),
        ("TSA_URL", "tsa.example.org"),
        ("TSA_URL", "ftp://tsa.example.org"),
        ("TSA_URL", "https://"),
    ],
)
def test_refuses_a_setting_that_cannot_be_and_names_it(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=name):
        load_config(env(tmp_path, **{name: value}))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_knows_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.4", "clinic.example.org", "127.0.0.1.example.org", ""]
)
def test_knows_what_is_beyond_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_answers_to_its_own_names_only(tmp_path: Path) -> None:
    assert load_config(env(tmp_path))["TRUSTED_HOSTS"] == ["127.0.0.1", "localhost"]
    assert load_config(env(tmp_path, PUBLIC_HOST="b12.example.org:8443"))["TRUSTED_HOSTS"] == [
        "b12.example.org"
    ]


MAIL = {
    "HEADS_MAIL_TO": "a@example.org, b@example.org",
    "SMTP_HOST": "mail.example.org",
    "SMTP_FROM": "c@example.org",
}


def test_heads_are_held_nowhere_unless_it_is_said(tmp_path: Path) -> None:
    config = load_config(env(tmp_path))
    assert (config["HEADS_FILE"], config["HEADS_MAIL_TO"]) == (None, [])


def test_heads_are_mailed_over_tls(tmp_path: Path) -> None:
    config = load_config(env(tmp_path, **MAIL))
    assert config["HEADS_MAIL_TO"] == ["a@example.org", "b@example.org"]
    assert (config["SMTP_TLS"], config["SMTP_PORT"]) == ("starttls", 587)
    assert load_config(env(tmp_path, **MAIL, SMTP_TLS="tls"))["SMTP_PORT"] == 465
    assert (
        load_config(env(tmp_path, **{**MAIL, "SMTP_HOST": "127.0.0.1"}, SMTP_TLS="off"))["SMTP_TLS"] == "off"
    )


def test_heads_of_a_demo_are_never_given_away(tmp_path: Path) -> None:
    config = load_config(env(tmp_path, **MAIL, HEADS_FILE=str(tmp_path / "heads")), demo=True)
    assert (config["HEADS_FILE"], config["HEADS_MAIL_TO"]) == (None, [])


@pytest.mark.parametrize(
    "changed,named",
    [
        ({"SMTP_HOST": ""}, "SMTP_HOST"),
        ({"SMTP_FROM": ""}, "SMTP_FROM"),
        ({"SMTP_TLS": "off"}, "SMTP_TLS"),
        ({"SMTP_TLS": "perhaps"}, "SMTP_TLS"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT"),
    ],
)
def test_refuses_mail_that_could_not_be_sent_or_would_be_readable(
    changed: dict[str, str], named: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=named):
        load_config(env(tmp_path, **{**MAIL, **changed}))
