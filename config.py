"""Settings: what the environment says, turned into Flask's configuration.

Reading settings has one effect: a secret key that nobody gave is made once and kept beside the database, readable by its
owner alone. The demo and a real clinic differ in database, secret and cookie, so neither can open the other.
"""

import contextlib
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PROJECT_DIR = Path(__file__).resolve().parent
TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"", "0", "false", "no", "off"})

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_IDLE_MINUTES = 30
DEFAULT_SESSION_HOURS = 12

MEBIBYTE = 1024 * 1024
MAX_UPLOAD_BYTES = 16 * MEBIBYTE
MAX_FORM_FIELD_BYTES = 1 * MEBIBYTE


class SettingError(ValueError):
    """A setting that cannot be used; the message names it and says what is accepted."""


def load_config(env: Mapping[str, str], *, demo: bool | None = None) -> dict[str, Any]:
    """Return the application's configuration for this environment.

    `demo` True or False decides over the DEMO setting. Makes the instance folder and, where SECRET_KEY is not set, a secret
    key file. Raises SettingError for a value that cannot be used, and for DEMO beside DATABASE_URL.
    """
    is_demo = read_flag(env, "DEMO") if demo is None else demo
    if demo is None and is_demo and env.get("DATABASE_URL"):
        # Whoever names a database and gets the demo's would believe a check of a database that was never opened.
        raise SettingError("DEMO=1 reads the demo's own database; leave DEMO or DATABASE_URL out")
    instance = Path(env.get("INSTANCE") or PROJECT_DIR / "instance").resolve()
    # Nobody else on this machine may read the records in it.
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "DEMO": is_demo,
        "INSTANCE_DIR": str(instance),
        "MIGRATIONS_DIR": str(PROJECT_DIR / "migrations"),
        "SECRET_KEY": env.get("SECRET_KEY") or kept_secret(_in_mode(instance, "secret_key", is_demo=is_demo)),
        "SQLALCHEMY_DATABASE_URI": database_url(env, instance, demo=is_demo),
        "OWNER_DATABASE_URI": owner_database_url(env, demo=is_demo),
        **_signing_settings(env, instance, is_demo=is_demo),
        "PG_BIN": env.get("PG_BIN") or None,
        **_session_settings(env, is_demo=is_demo),
        **_request_limits(),
        **_server_settings(env),
        **_heads_settings({} if is_demo else env),
    }


def database_url(env: Mapping[str, str], instance: Path, *, demo: bool) -> str:
    """Return the address of the database the application uses: DATABASE_URL, or for the demo DEMO_DATABASE_URL.

    Where it is not set: a SQLite file in the instance folder.
    """
    given = env.get("DEMO_DATABASE_URL" if demo else "DATABASE_URL")
    if given:
        return with_driver(given)
    return f"sqlite:///{_in_mode(instance, 'clinic.sqlite3', is_demo=demo).as_posix()}"


def owner_database_url(env: Mapping[str, str], *, demo: bool) -> str | None:
    """Return the address that owns the tables and may migrate them, where it differs from the application's."""
    given = env.get("DATABASE_OWNER_URL")
    return with_driver(given) if given and not demo else None


def with_driver(url: str) -> str:
    """Return the address with the driver we ship: `postgres://` and `postgresql://` mean psycopg 3."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        message = (
            "DATABASE_URL must look like postgresql://user:password@host/name or sqlite:////path/to/file"
        )
        raise SettingError(message)
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"sqlite", "postgresql+psycopg"}:
        return url
    message = f"DATABASE_URL begins with {scheme}://; this program speaks postgresql:// and sqlite:// only"
    raise SettingError(message)


def kept_secret(path: Path) -> str:
    """Return the secret in this file, made there first if there is none; only its owner may read it.

    Linking a finished file into place means that of two processes starting at once, both read the same secret.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text(encoding="ascii").strip()


def read_flag(env: Mapping[str, str], name: str) -> bool:
    """Return whether the setting is switched on. Raises SettingError for a word that is neither on nor off."""
    word = env.get(name, "").strip().lower()
    if word in TRUE_WORDS | FALSE_WORDS:
        return word in TRUE_WORDS
    message = f"{name}={word}: use 1 for on and 0 for off"
    raise SettingError(message)


def read_number(env: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    """Return the setting as a whole number within its bounds. Raises SettingError otherwise."""
    typed = env.get(name, "").strip() or str(default)
    if typed.isascii() and typed.isdigit() and least <= int(typed) <= most:
        return int(typed)
    message = f"{name}={typed}: use a whole number from {least} to {most}"
    raise SettingError(message)


def is_loopback(host: str) -> bool:
    """Return whether this host is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _in_mode(instance: Path, name: str, *, is_demo: bool) -> Path:
    """Return where a file of this mode lives: a demo's database and secret are never the clinic's."""
    demo_names = {"clinic.sqlite3": "demo.sqlite3"}
    return instance / (demo_names.get(name, f"demo.{name}") if is_demo else name)


def _signing_settings(env: Mapping[str, str], instance: Path, *, is_demo: bool) -> dict[str, Any]:
    """Return which key signs the reports, how it is opened, and who stamps the time. The demo signs with a key of its own."""
    own = "" if is_demo else env.get("SIGNING_P12", "").strip()
    tsa = "" if is_demo else env.get("TSA_URL", "").strip()
    if own and not Path(own).is_file():
        raise SettingError(f"SIGNING_P12={own}: there is no such file")
    if tsa and not (urlsplit(tsa).scheme in {"http", "https"} and urlsplit(tsa).hostname):
        raise SettingError(f"TSA_URL={tsa}: use an address that begins with http:// or https://")
    kept = _in_mode(instance, "signing_password", is_demo=is_demo)
    return {
        "SIGNING_KEY_FILE": str(_in_mode(instance, "signing_key.p12", is_demo=is_demo)),
        "SIGNING_PASSWORD": env.get("SIGNING_PASSWORD") or (None if own else kept_secret(kept)),
        "SIGNING_P12": own or None,
        "SIGNING_P12_PASSWORD": env.get("SIGNING_P12_PASSWORD", ""),
        "TSA_URL": tsa or None,
    }


def _session_settings(env: Mapping[str, str], *, is_demo: bool) -> dict[str, Any]:
    """Return how long a sign-in lasts and how its cookie is guarded."""
    https = read_flag(env, "BEHIND_TLS_PROXY")
    name = "demo_session" if is_demo else "clinic_session"
    idle = read_number(env, "SESSION_IDLE_MINUTES", default=DEFAULT_IDLE_MINUTES, least=1, most=24 * 60)
    hours = read_number(env, "SESSION_HOURS", default=DEFAULT_SESSION_HOURS, least=1, most=7 * 24)
    return {
        "HTTPS": https,
        "SESSION_COOKIE_NAME": f"__Host-{name}" if https else name,
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_IDLE": timedelta(minutes=idle),
        "SESSION_ABSOLUTE": timedelta(hours=hours),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=hours),
        # A form is good for as long as the sign-in behind it; the token ends with the session anyway.
        "WTF_CSRF_TIME_LIMIT": hours * 3600,
        "PREFERRED_URL_SCHEME": "https" if https else "http",
    }


def _request_limits() -> dict[str, Any]:
    """Return how much one request may carry before it is refused with 413."""
    return {
        "MAX_CONTENT_LENGTH": MAX_UPLOAD_BYTES,
        "MAX_FORM_MEMORY_SIZE": MAX_FORM_FIELD_BYTES,
        "MAX_FORM_PARTS": 1000,
    }


def _server_settings(env: Mapping[str, str]) -> dict[str, Any]:
    """Return where the server listens and which names it answers to."""
    host = env.get("HOST", "").strip() or DEFAULT_HOST
    return {
        "HOST": host,
        "PORT": read_number(env, "PORT", default=DEFAULT_PORT, least=1, most=65535),
        "THREADS": read_number(env, "THREADS", default=8, least=1, most=64),
        "WORKERS": read_number(env, "WORKERS", default=1, least=0, most=8),
        "TRUSTED_PROXY": env.get("TRUSTED_PROXY", "").strip() or DEFAULT_HOST,
        "TRUSTED_HOSTS": _trusted_hosts(env, host),
    }


def _heads_settings(env: Mapping[str, str]) -> dict[str, Any]:
    """Return where the head of the trail is to be held; nowhere, where nothing is set, and never that of a demo."""
    file = env.get("HEADS_FILE", "").strip()
    recipients = [one.strip() for one in env.get("HEADS_MAIL_TO", "").split(",") if one.strip()]
    host, tls = env.get("SMTP_HOST", "").strip(), env.get("SMTP_TLS", "").strip().lower() or "starttls"
    if tls not in {"starttls", "tls", "off"}:
        raise SettingError(f"SMTP_TLS={tls}: use starttls, tls or off")
    if tls == "off" and host and not is_loopback(host):
        raise SettingError("SMTP_TLS=off sends mail readable; it is for a mail server on this machine only")
    sender = env.get("SMTP_FROM", "").strip()
    if recipients and not (host and sender):
        raise SettingError("HEADS_MAIL_TO needs SMTP_HOST and SMTP_FROM, to send mail")
    usual = 465 if tls == "tls" else 587
    return {
        "HEADS_FILE": str(Path(file).resolve()) if file else None,
        "HEADS_MAIL_TO": recipients,
        "SMTP_HOST": host,
        "SMTP_PORT": read_number(env, "SMTP_PORT", default=usual, least=1, most=65535),
        "SMTP_TLS": tls,
        "SMTP_FROM": sender,
        "SMTP_USER": env.get("SMTP_USER", "").strip(),
        "SMTP_PASSWORD": env.get("SMTP_PASSWORD", ""),
    }


def _trusted_hosts(env: Mapping[str, str], host: str) -> list[str] | None:
    """Return the names a request may ask for, so that no foreign name can be pointed at this server; None means any.

    Werkzeug's list cannot name an IPv6 address, so a server on one answers to any name.
    """
    public = env.get("PUBLIC_HOST", "").strip()
    if public:
        return [urlsplit(f"//{public}").hostname or public]
    if ":" in host or not is_loopback(host):
        return None
    return sorted({"localhost", "127.0.0.1", host})
