"""Whatever stands in a barcode is read back, and nothing that does not: for every code that may be, and every text whatever."""

import string
from datetime import date
from urllib.parse import quote, unquote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from inventory.catalogue.gs1 import SHOWN_SEPARATOR, Scan, read_scan
from inventory.catalogue.rules import has_gtin_check_digit
from inventory.kernel.errors import Refusal

ON = date(2026, 3, 16)
GS = "\x1d"
# GS1 AI encodable character set 82. < and > spell substitutes of FNC1 only in <GS> and <FNC1>.
SET_82 = string.ascii_letters + string.digits + "!\"%&'()*+,-./:;<=>?_"
codes = st.text(SET_82, min_size=1, max_size=20).filter(
    lambda text: "<GS>" not in text.upper() and "<FNC1>" not in text.upper()
)
unbracketed = codes.filter(lambda text: "(" not in text)


def with_check_digit(payload: str) -> str:
    return next(f"{payload}{last}" for last in string.digits if has_gtin_check_digit(f"{payload}{last}"))


gtins = st.text(string.digits, min_size=13, max_size=13).map(with_check_digit)
days = st.dates(date(1977, 1, 1), date(2076, 12, 31))


@st.composite
def fields(draw: st.DrawFn, text: st.SearchStrategy[str] = codes) -> list[tuple[str, str]]:
    """Some of the fields of a pack, a GTIN always among them, in any order."""
    values = {
        "01": draw(gtins),
        "10": draw(text),
        "21": draw(text),
        "11": f"{draw(days):%y%m%d}",
        "17": f"{draw(days):%y%m}{draw(st.sampled_from(['00', '15', '28']))}",
        "91": draw(text),
    }
    chosen = draw(st.lists(st.sampled_from(["10", "21", "11", "17", "91"]), unique=True))
    order = draw(st.permutations(["01", *chosen]))
    return [(ai, values[ai]) for ai in order]


def said(scan: Scan) -> dict[str, str]:
    """What a scan says, as its fields would say it."""
    found = {"01": scan.gtin, "10": scan.lot_number, "21": scan.serial_number}
    if scan.produced_on:
        found["11"] = f"{scan.produced_on:%y%m%d}"
    if scan.expires_on:
        found["17"] = f"{scan.expires_on:%y%m}{'00' if scan.expires_month_only else f'{scan.expires_on:%d}'}"
    return {ai: value for ai, value in found.items() if value is not None}


def concerning_us(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {ai: value for ai, value in pairs if ai != "91"}


@given(
    fields(),
    st.sampled_from(["", "]d2", "]C1", "]Q3", "]e0", f"]d2{GS}"]),
    st.sampled_from([GS, "␝", "{GS}", "^]"]),
    st.sampled_from(["", "\r\n", "\t"]),
)
def test_element_strings_read_back(pairs: list[tuple[str, str]], prefix: str, end: str, suffix: str) -> None:
    parts = [f"{ai}{value}{'' if ai in {'01', '11', '17'} else end}" for ai, value in pairs]
    scan = read_scan(prefix + "".join(parts).removesuffix(end) + suffix, on=ON)
    assert said(scan) == concerning_us(pairs)


@given(fields(unbracketed), st.sampled_from(["", " "]))
def test_bracketed_text_reads_back(pairs: list[tuple[str, str]], gap: str) -> None:
    assert said(read_scan(gap.join(f"({ai}){value}" for ai, value in pairs), on=ON)) == concerning_us(pairs)


@given(fields())
def test_links_read_back(pairs: list[tuple[str, str]]) -> None:
    by_ai = {ai: quote(value, safe="") for ai, value in pairs}
    path = "/".join(f"{ai}/{by_ai[ai]}" for ai in ("01", "10", "21") if ai in by_ai)
    query = "&".join(f"{ai}={value}" for ai, value in by_ai.items() if ai in {"11", "17"})
    assert said(read_scan(f"https://id.gs1.org/{path}?{query}", on=ON)) == concerning_us(pairs)


pieces = st.sampled_from(
    [
        "01",
        "10",
        "17",
        "21",
        "11",
        "7003",
        "(01)",
        "(10)",
        "(17)",
        "00301439620105",
        "280531",
        "280500",
        GS,
        "]d2",
        "]C1",
        "]",
    ]
    + [
        "https://id.gs1.org/01/",
        "/10/",
        "?17=",
        "&",
        "%",
        "%1d",
        "<GS>",
        "^]",
        "3103",
        "8008",
        "91",
        "٣",
        "\u202e",
        "\x00",
    ]
    + ["4140", "253", "02", "00", "391", "8010", "()", "(", ")", " ", "0" * 14]
)
texts = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.one_of(pieces, st.text(SET_82, max_size=6), st.text(string.digits, max_size=14)), max_size=12
    ).map("".join),
)


@settings(max_examples=1_000)
@given(texts)
@example("01" + "0" * 14)
@example("]C1" + "0" * 60)
@example("\ud800")
@example("(01)(01)")
@example("https://")
def test_no_text_is_too_strange_and_nothing_is_made_up(text: str) -> None:
    try:
        scan = read_scan(text, on=ON)
    except Refusal:
        return
    plain = f"{text}\n{unquote(text)}"
    assert scan.gtin is None or (scan.gtin.lstrip("0") in plain and has_gtin_check_digit(scan.gtin))
    assert scan.lot_number is None or scan.lot_number in plain
    assert scan.serial_number is None or scan.serial_number in plain
    for ai, value in said(scan).items():
        assert value.lstrip("0") in plain, (ai, value)
    assert scan.raw.replace(SHOWN_SEPARATOR, "") in text.replace(GS, "").replace(SHOWN_SEPARATOR, "")
