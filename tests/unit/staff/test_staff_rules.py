"""What is asked of names, roles and passwords, and how long a guesser waits."""

from datetime import UTC, date, datetime, timedelta

import pytest

from inventory.kernel.permissions import Role
from inventory.staff import passwords, rules

AT = datetime(2026, 3, 16, 9, 30, tzinfo=UTC)


def failed(*minutes_ago: float) -> list[datetime]:
    return [AT - timedelta(minutes=ago) for ago in minutes_ago]


def codes(refusals: list) -> list[str]:
    return [refusal.code for refusal in refusals]


def password_codes(password: str, *, is_demo: bool = False) -> list[str]:
    return codes(
        rules.password_refusals(
            password, username="nora", display_name="Nora Quill", min_length=12, is_demo=is_demo
        )
    )


def test_five_tries_are_free_and_then_each_wait_is_twice_the_one_before() -> None:
    waits = [rules.wait_for_pair(failed(*[0] * count), AT) for count in range(4, 9)]
    assert [wait.total_seconds() for wait in waits] == [0, 15, 30, 60, 120]


def test_wait_is_never_longer_than_a_quarter_of_an_hour() -> None:
    assert rules.wait_for_pair(failed(*[0] * 500), AT) == timedelta(minutes=15)


def test_wait_shrinks_with_time_and_old_failures_are_forgotten() -> None:
    assert rules.wait_for_pair(failed(0.1, 0.1, 0.1, 0.1, 0.1), AT) == timedelta(seconds=9)
    assert rules.wait_for_pair(failed(*[25 * 60] * 50), AT) == timedelta(0)


def test_address_waits_until_its_oldest_counted_failure_is_old() -> None:
    assert rules.wait_for_address(failed(*[5] * 39), AT) == timedelta(0)
    assert rules.wait_for_address(failed(*[5] * 40), AT) == timedelta(minutes=10)


@pytest.mark.parametrize(
    "seconds, words",
    [(1, "1 second"), (15, "15 seconds"), (60, "60 seconds"), (61, "2 minutes"), (900, "15 minutes")],
)
def test_wait_is_told_in_words(seconds: int, words: str) -> None:
    assert rules.wait_words(timedelta(seconds=seconds)) == words


def test_auditor_stands_alone_and_nobody_stands_without_a_role() -> None:
    assert codes(rules.role_refusals(frozenset({Role.AUDITOR, Role.MANAGER}))) == ["AUDITOR-ALONE"]
    assert codes(rules.role_refusals(frozenset())) == ["ROLE-NEEDED"]
    assert rules.role_refusals(frozenset({Role.AUDITOR})) == []
    assert rules.role_refusals(frozenset(set(Role) - {Role.AUDITOR})) == []


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.PRESCRIBER])
def test_who_gives_needs_a_licence_number_and_its_expiry(role: Role) -> None:
    entry = {"display_name": "Nora Quill", "email": "", "roles": frozenset({role})}
    without = rules.person_refusals(**entry, licence_number="", licence_expires_on=None)
    assert [(one.code, one.field) for one in without] == [
        ("LICENCE-NEEDED", "licence_number"),
        ("LICENCE-NEEDED", "licence_expires_on"),
    ]
    assert rules.person_refusals(**entry, licence_number="1", licence_expires_on=date(2020, 1, 1)) == []


@pytest.mark.parametrize("username", ["", "n", "Nora", "system:cli", "no ra", "-nora", "n" * 41, "nör"])
def test_refuses_username(username: str) -> None:
    assert codes(rules.username_refusals(username)) == ["USERNAME-INVALID"]


@pytest.mark.parametrize(
    "password, code",
    [
        ("short", "PASSWORD-SHORT"),
        ("x" * 201, "PASSWORD-LONG"),
        ("NoraQuillNora", "PASSWORD-OBVIOUS"),
        ("password1234", "PASSWORD-OBVIOUS"),
        ("aaaaaaaaaaaaa", "PASSWORD-OBVIOUS"),
        (rules.DEMO_PASSWORD, "PASSWORD-DEMO"),
    ],
)
def test_refuses_password(password: str, code: str) -> None:
    assert password_codes(password) == [code]


def test_takes_a_sentence_and_in_a_demo_the_demo_password() -> None:
    assert password_codes("a quiet morning in march") == []
    assert password_codes(rules.DEMO_PASSWORD, is_demo=True) == []


def test_password_is_known_again_however_its_letters_are_composed() -> None:
    stored = passwords.hash_password("caf\u00e9 in the morning")
    assert passwords.matches(stored, "cafe\u0301 in the morning")
    assert not passwords.matches(stored, "cafe in the morning")


def test_nobodys_password_takes_as_long_as_a_real_one() -> None:
    assert not passwords.needs_rehash(passwords.NOBODYS_HASH)
    assert not passwords.matches(None, "anything")
    assert passwords.needs_rehash("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aaaaaaaaaaaaaaaaaaaaaa")


def test_session_ends_after_resting_and_at_its_absolute_end() -> None:
    idle, later = timedelta(minutes=30), AT + timedelta(hours=1)
    assert not rules.is_over(expires_at=later, last_seen_at=AT - timedelta(minutes=29), idle=idle, at=AT)
    assert rules.is_over(expires_at=later, last_seen_at=AT - timedelta(minutes=30), idle=idle, at=AT)
    assert rules.is_over(expires_at=AT, last_seen_at=AT, idle=idle, at=AT)


@pytest.mark.parametrize(
    "agent, words",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36 Edg/120.0", "Edge on Linux"),
        ("", "A browser"),
    ],
)
def test_browser_is_named_as_a_person_knows_it(agent: str, words: str) -> None:
    assert rules.browser_words(agent) == words


@pytest.mark.parametrize(
    "address, counted",
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 80, "x" * 64),
    ],
)
def test_tries_from_one_connection_are_counted_together(address: str, counted: str) -> None:
    assert rules.counted_address(address) == counted
