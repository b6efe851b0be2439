"""What a barcode says, read from the texts that scanners really send."""

from datetime import date, time

import pytest

from inventory.catalogue.gs1 import SCAN_END, SCAN_LIMIT, Scan, read_scan, read_scans
from inventory.kernel.errors import Refusal

ON = date(2026, 3, 16)
GTIN = "00301439620105"
GS = "\x1d"


def read(text: str, on: date = ON) -> Scan:
    return read_scan(text, on=on)


def refused(text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        f"01{GTIN}1728053110AB123{GS}21S7",
        f"01{GTIN}17280531" + f"10AB123{GS}21S7{GS}",
        f"]d201{GTIN}1728053110AB123{GS}21S7",
        f"]C101{GTIN}1728053110AB123{GS}21S7\r\n",
        f"]Q3{GS}01{GTIN}1728053110AB123{GS}21S7",
        f"]e001{GTIN}10AB123{GS}21S7{GS}17280531",
        f"01{GTIN}{GS}17280531{GS}10AB123{GS}21S7",
        *(
            f"01{GTIN}1728053110AB123{end}21S7"
            for end in [
                "<GS>",
                "{GS}",
                "[GS]",
                "<fnc1>",
                "{FNC1}",
                "␝",
                r"\x1d",
                r"\u001D",
                "^]",
                "~d029",
                "|",
            ]
        ),
        f"(01){GTIN}(17)280531(10)AB123(21)S7",
        f" (01) {GTIN} (17) 280531 (10) AB123 (21) S7 ",
        "(01)301439620105(17)280531(10)AB123(21)S7",
        f"https://id.gs1.org/01/{GTIN}/10/AB123/21/S7?17=280531",
        "HTTP://packs.example/b12/01/301439620105/10/AB%3123/21/S7/?linkType=all&17=280531&junk",
        f"]Q1https://id.gs1.org/01/{GTIN}/10/AB123/21/S7?17=280531#page",
    ],
)
def test_every_way_of_writing_it_says_the_same(text: str) -> None:
    scan = read(text)
    said = (scan.gtin, scan.lot_number, scan.serial_number, scan.expires_on, scan.expires_month_only)
    assert said == (GTIN, "AB123", "S7", date(2028, 5, 31), False)
    assert not scan.lot_may_hold_more


@pytest.mark.parametrize(
    "text, gtin",
    [
        ("96385074", "00000096385074"),
        ("301439620105", GTIN),
        ("0301439620105", GTIN),
        (GTIN, GTIN),
        ("]E00301439620105", GTIN),
        ("]I130301439620106", "30301439620106"),
    ],
)
def test_a_plain_barcode_gives_the_gtin_alone(text: str, gtin: str) -> None:
    scan = read(text)
    assert scan == Scan(raw=text, gtin=gtin)


@pytest.mark.parametrize("lot", ["AB-12/3", "a.b_c", "1(2)3", "A+B,C", "12345678901234567890", 'X"%&*:;=?!'])
def test_a_lot_number_is_never_cut(lot: str) -> None:
    assert read(f"01{GTIN}10{lot}").lot_number == lot
    assert read(f"01{GTIN}10{lot}{GS}17280531").lot_number == lot


def test_a_lot_number_of_a_link_is_decoded_once() -> None:
    assert read(f"https://id.gs1.org/01/{GTIN}/10/AB%2F12%2525").lot_number == "AB/12%25"


@pytest.mark.parametrize(
    "digits, day, month_only",
    [
        ("280531", date(2028, 5, 31), False),
        ("280500", date(2028, 5, 31), True),
        ("280200", date(2028, 2, 29), True),
        ("760131", date(2076, 1, 31), False),
        ("770131", date(1977, 1, 31), False),
    ],
)
def test_day_00_is_the_last_of_its_month_and_years_are_near(digits: str, day: date, month_only: bool) -> None:
    scan = read(f"01{GTIN}17{digits}11{digits}")
    assert (scan.expires_on, scan.expires_month_only, scan.produced_on) == (day, month_only, day)


def test_a_century_ends() -> None:
    assert read("]C11702013110A", date(2089, 1, 1)).expires_on == date(2102, 1, 31)


def test_an_expiry_may_have_its_hour() -> None:
    scan = read(f"01{GTIN}70032805311430{GS}10A")
    assert (scan.expires_on, scan.expiry_time) == (date(2028, 5, 31), time(14, 30))
    assert read(f"01{GTIN}1728053170032805311430").expiry_time == time(14, 30)


def test_what_does_not_concern_us_is_passed_over() -> None:
    scan = read(f"01{GTIN}17280531710PZN12345{GS}3103000250{GS}10A1{GS}91own")
    assert (scan.lot_number, scan.expires_on) == ("A1", date(2028, 5, 31))


def test_a_second_barcode_may_have_no_product() -> None:
    scan = read("1728053110AB123")
    assert (scan.gtin, scan.lot_number, scan.expires_on) == (None, "AB123", date(2028, 5, 31))
    assert read("]C110AB123").lot_number == "AB123"


def test_a_lot_number_that_may_have_swallowed_the_expiry_is_flagged() -> None:
    assert read(f"01{GTIN}10AB12317280531").lot_may_hold_more
    assert not read(f"(01){GTIN}(10)AB12317280531").lot_may_hold_more
    assert not read(f"01{GTIN}10AB12317280531{GS}17280531").lot_may_hold_more


@pytest.mark.parametrize(
    "text, code",
    [
        ("", "SCAN-UNREADABLE"),
        (" \r\n", "SCAN-UNREADABLE"),
        ("9" * (SCAN_LIMIT + 1), "SCAN-UNREADABLE"),
        ("hello", "SCAN-UNREADABLE"),
        ("10234", "SCAN-UNREADABLE"),
        ("10AB\x1d21S7", "SCAN-UNREADABLE"),
        (f"01{GTIN}1728053110" + "A" * 21, "SCAN-UNREADABLE"),
        (f"01{GTIN}10" + "A" * 20 + "17280531", "SCAN-UNREADABLE"),
        (f"01{GTIN}10AB 12", "SCAN-UNREADABLE"),
        (f"01{GTIN}10Ä", "SCAN-UNREADABLE"),
        (f"01{GTIN}10A\u202eB", "SCAN-UNREADABLE"),
        ("01" + "٠" * 14, "SCAN-UNREADABLE"),
        ("٩٦٣٨٥٠٧٤", "SCAN-UNREADABLE"),
        (f"(01){GTIN}(10)AB^12", "SCAN-UNREADABLE"),
        (f"(01){GTIN}x(99999)A", "SCAN-UNREADABLE"),
        (f"(01){GTIN}(10)" + "A" * 21, "SCAN-UNREADABLE"),
        (f"(01){GTIN}(10)" + "A" * 20 + "17280531", "SCAN-UNREADABLE"),
        (f"(01){GTIN}(23)5X", "SCAN-UNREADABLE"),
        (f"(01){GTIN}17280531(10)A", "SCAN-UNREADABLE"),
        ("()", "SCAN-UNREADABLE"),
        ("(01)", "SCAN-UNREADABLE"),
        ("(10)", "SCAN-UNREADABLE"),
        (f"(01){GTIN}9", "SCAN-UNREADABLE"),
        (f"[)>\x1e06\x1d9N11{GTIN}", "SCAN-UNREADABLE"),
        ("]d2", "SCAN-EMPTY"),
        ("https://example.org/about", "SCAN-UNREADABLE"),
        ("https://[id.gs1.org/01/1", "SCAN-UNREADABLE"),
        (f"https://id.gs1.org/01/{GTIN}/10", "SCAN-UNREADABLE"),
        (f"https://id.gs1.org/01/{GTIN}99/10/A", "SCAN-UNREADABLE"),
        (f"https://id.gs1.org/01/{GTIN}/10/A%1dB", "SCAN-UNREADABLE"),
        (f"https://id.gs1.org/01/{GTIN}/10/" + "A" * 21, "SCAN-UNREADABLE"),
        (f"https://id.gs1.org/01/{GTIN}?17=", "SCAN-UNREADABLE"),
        ("00301439620106", "SCAN-CHECK-DIGIT"),
        ("1012345678901", "SCAN-CHECK-DIGIT"),
        ("01003014396201061728053110A", "SCAN-CHECK-DIGIT"),
        ("(01)00301439620106(10)A", "SCAN-CHECK-DIGIT"),
        (f"01{GTIN}17280230", "SCAN-DATE"),
        (f"01{GTIN}17280012", "SCAN-DATE"),
        (f"01{GTIN}11280012", "SCAN-DATE"),
        (f"01{GTIN}70032805312530", "SCAN-DATE"),
        (f"01{GTIN}70032805311260", "SCAN-DATE"),
        (f"01{GTIN}10A{GS}10B", "SCAN-CONTRADICTS"),
        (f"01{GTIN}01{'00301439621256'}", "SCAN-CONTRADICTS"),
        (f"01{GTIN}1728053170032805301200", "SCAN-CONTRADICTS"),
        (f"https://id.gs1.org/01/{GTIN}/10/A?10=B", "SCAN-CONTRADICTS"),
        ("(21)S7", "SCAN-EMPTY"),
        ("]C100106141412345678908", "SCAN-EMPTY"),
    ],
)
def test_refuses_what_cannot_be_read(text: str, code: str) -> None:
    refusal = refused(text)
    assert (refusal.code, refusal.field) == (code, "scan")


def test_the_raw_text_is_kept_and_can_be_shown() -> None:
    assert read(f"]d201{GTIN}10AB{GS}17280531\r\n").raw == f"]d201{GTIN}10AB␝17280531"


def test_several_scans_of_one_pack_are_read_one_by_one() -> None:
    first, second = read_scans(f"{GTIN}{SCAN_END}1728053110A", on=ON)
    assert (first.gtin, second.lot_number) == (GTIN, "A")
    with pytest.raises(Refusal, match="SCAN-UNREADABLE"):
        read_scans(SCAN_END.join([GTIN] * 6), on=ON)
