"""What the clinic asks of a person's name, roles, licence and password, and how long a guesser waits. Pure."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Network, ip_address

from inventory.kernel.errors import Refusal
from inventory.kernel.permissions import Days, Role

DEMO_PASSWORD = "demo-clinic-pass"  # noqa: S105  printed by the demo; refused everywhere else
LONGEST_PASSWORD = 200

LINK_LIFETIME = timedelta(hours=24)
LAST_SEEN_STEP = timedelta(minutes=1)

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(minutes=15)
TRIES_COUNT_FOR = timedelta(hours=24)
ADDRESS_TRIES = 40
ADDRESS_WINDOW = timedelta(minutes=15)
ATTEMPTS_KEPT = timedelta(days=30)

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LICENSED = frozenset({Role.PRACTITIONER, Role.PRESCRIBER})
_OBVIOUS = ("password", "passwort", "qwerty", "asdfgh", "123456", "abcdef", "letmein", "welcome", "iloveyou")

ROLE_WORDS = {
    Role.PRACTITIONER: "Practitioner",
    Role.PRESCRIBER: "Prescriber",
    Role.MANAGER: "Manager",
    Role.AUDITOR: "Auditor",
    Role.ADMIN: "Administrator",
}
ROLE_MEANINGS = {
    Role.PRACTITIONER: "Practitioner: gives and records doses",
    Role.PRESCRIBER: "Prescriber: as a practitioner, and may override with a reason",
    Role.MANAGER: "Manager: stock, catalogue and orders",
    Role.AUDITOR: "Auditor: reads everything, changes nothing; stands alone",
    Role.ADMIN: "Administrator: people and settings",
}


def username_key(typed: str) -> str:
    """Return the form in which a username is stored and looked up."""
    return typed.strip().lower()


def person_refusals(
    *,
    display_name: str,
    email: str,
    roles: frozenset[Role],
    licence_number: str,
    licence_expires_on: date | None,
) -> list[Refusal]:
    """Return everything wrong with a person's entry; nothing when it may stand."""
    found = role_refusals(roles)
    if not display_name:
        found.append(
            Refusal("NAME-NEEDED", "Type the person's name, as it stands on reports.", "display_name")
        )
    if email and not _EMAIL.fullmatch(email):
        found.append(Refusal("EMAIL-INVALID", "This is not an e-mail address.", "email"))
    if roles & _LICENSED:
        needed = "A practitioner or prescriber needs"
        if not licence_number:
            found.append(Refusal("LICENCE-NEEDED", f"{needed} a licence number.", "licence_number"))
        if licence_expires_on is None:
            found.append(Refusal("LICENCE-NEEDED", f"{needed} the licence's expiry.", "licence_expires_on"))
    return found


def role_refusals(roles: frozenset[Role]) -> list[Refusal]:
    """Return what is wrong with this set of roles: there is none, or the auditor does not stand alone."""
    if not roles:
        return [Refusal("ROLE-NEEDED", "Choose at least one role.", "roles")]
    if Role.AUDITOR in roles and len(roles) > 1:
        return [
            Refusal(
                "AUDITOR-ALONE",
                "An auditor judges what others did, and so has no other role. Choose auditor alone, or the others.",
                "roles",
            )
        ]
    return []


def username_refusals(username: str) -> list[Refusal]:
    """Return what is wrong with a new username."""
    if _USERNAME.fullmatch(username):
        return []
    said = "2 to 40 of a-z, 0-9, dot, hyphen and underscore; a letter or digit first."
    return [Refusal("USERNAME-INVALID", said, "username")]


def password_refusals(
    password: str, *, username: str, display_name: str, min_length: int, is_demo: bool
) -> list[Refusal]:
    """Return what is wrong with a new password; length counts most, so there are no rules of digits and signs."""
    if password == DEMO_PASSWORD:
        said = "This is the password of the demo clinic, which everybody knows."
        return [] if is_demo else [Refusal("PASSWORD-DEMO", said, "password")]
    if len(password) < min_length:
        said = f"At least {min_length} characters; a sentence is good."
        return [Refusal("PASSWORD-SHORT", said, "password")]
    if len(password) > LONGEST_PASSWORD:
        return [Refusal("PASSWORD-LONG", f"At most {LONGEST_PASSWORD} characters.", "password")]
    if is_obvious(password, names=[username, *display_name.split()]):
        said = "This is easy to guess: it is mostly a name, a run of keys or a well-known password."
        return [Refusal("PASSWORD-OBVIOUS", said, "password")]
    return []


def is_obvious(password: str, *, names: Sequence[str]) -> bool:
    """Tell whether little is left of `password` without the person's names and the best-known passwords."""
    left = password.lower()
    for known in (*(name.lower() for name in names if len(name) > 2), *_OBVIOUS):
        left = left.replace(known, "")
    return len(left) < 6 or len(set(password)) < 5


def wait_for_pair(failures: Sequence[datetime], at: datetime) -> timedelta:
    """Return how long this account must wait at this address; `failures` since the last success, oldest first.

    Five tries are free, then each wait is twice the one before, up to a quarter of an hour.
    """
    counted = [failed for failed in failures if at - failed < TRIES_COUNT_FOR]
    over = len(counted) - FREE_TRIES
    if over < 0:
        return timedelta(0)
    wait = min(FIRST_WAIT * (1 << min(over, 10)), LONGEST_WAIT)
    return max(counted[-1] + wait - at, timedelta(0))


def wait_for_address(failures: Sequence[datetime], at: datetime) -> timedelta:
    """Return how long everybody at this address must wait: too many failures of any accounts in a quarter of an hour."""
    counted = [failed for failed in failures if at - failed < ADDRESS_WINDOW]
    if len(counted) < ADDRESS_TRIES:
        return timedelta(0)
    return counted[-ADDRESS_TRIES] + ADDRESS_WINDOW - at


def counted_address(address: str) -> str:
    """Return whose tries are counted together: one IPv4 address, or the /64 of an IPv6 one, which is one connection's."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip) >> 64 << 64, 64)))


def wait_words(wait: timedelta) -> str:
    """Return a wait as a person says it: `15 seconds`, `2 minutes`; rounded up."""
    seconds = -(-wait // timedelta(seconds=1))
    number, unit = (seconds, "second") if seconds <= 60 else (-(-seconds // 60), "minute")
    return f"{number} {unit}" + ("" if number == 1 else "s")


def is_over(*, expires_at: datetime, last_seen_at: datetime, idle: timedelta, at: datetime) -> bool:
    """Tell whether a session has ended: at its absolute end, or after resting too long."""
    return at >= expires_at or at - last_seen_at >= idle


def is_within(access_from: datetime | None, access_until: datetime | None, at: datetime) -> bool:
    """Tell whether an account that is open from one instant until another is open at `at`."""
    return (access_from is None or at >= access_from) and (access_until is None or at < access_until)


def access_refusals(
    *,
    access_from: datetime | None,
    access_until: datetime | None,
    days: Days,
    roles: frozenset[Role],
) -> list[Refusal]:
    """Return what is wrong with the bounds of an account: ACCESS-ORDER, DAYS-ORDER, DAYS-AUDITOR."""
    wrong = []
    if access_from and access_until and access_from >= access_until:
        wrong.append(Refusal("ACCESS-ORDER", "The access ends before it begins.", "access_until"))
    if days.first and days.last and days.first > days.last:
        wrong.append(Refusal("DAYS-ORDER", "The last day is before the first.", "records_until"))
    if days and Role.AUDITOR not in roles:
        said = "Only an auditor's account is limited to days: whoever gives doses must see the last one."
        wrong.append(Refusal("DAYS-AUDITOR", said, "records_from"))
    return wrong


def browser_words(user_agent: str) -> str:
    """Return a browser's name as a person knows it, such as `Firefox on Windows`; a guess, never a decision."""
    browsers = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrom": "Chrome", "Safari": "Safari"}
    systems = {
        "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS": "Mac", "Linux": "Linux",
    }  # fmt: skip
    browser = next((name for mark, name in browsers.items() if mark in user_agent), "A browser")
    system = next((name for mark, name in systems.items() if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
