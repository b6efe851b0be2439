"""A notice as it is pasted: lot numbers one a line or several, perhaps with a product; nothing is dropped."""

import pytest

from inventory.kernel.errors import Refusal
from inventory.stock.notices import MOST_LOTS, NamedLot, read_notice

GTIN = "00305170031251"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1662\n1679\r\n\n1683 \n", [("1662", ""), ("1679", ""), ("1683", "")]),
        ("1662, 1679; 1683", [("1662", ""), ("1679", ""), ("1683", "")]),
        (f"A;{GTIN}\nB;Cyano, Inc", [("A", GTIN), ("B", "cyano, inc")]),
        ("1662, 1679, 1683", [("1662", ""), ("1679", ""), ("1683", "")]),
        ("1662; 1679", [("1662", ""), ("1679", "")]),
        (f"1662,{GTIN}\n1679\t{GTIN[2:]}", [("1662", GTIN), ("1679", GTIN[2:])]),
        ("1662;Cyano 10\n1679;B12", [("1662", "cyano 10"), ("1679", ""), ("B12", "")]),
        ("Product;Lot number\nCyano;1662\nOther, Inc;1679\n;", [("1662", "cyano"), ("1679", "other, inc")]),
        ("\ufefflot,expiry\n1662,2013-11\n", [("1662", "")]),
        ("1662\n16 62\nAB1\nab 1", [("1662", ""), ("AB1", "")]),
        ('"A,1",' + GTIN, [("A,1", GTIN)]),
    ],
)
def test_reads_what_stands_there(text: str, expected: list[tuple[str, str]]) -> None:
    found = read_notice(text, product_names=["CYANO 10", "Cyano, Inc"])
    assert [(one.lot_number, one.product.casefold()) for one in found] == expected


def test_a_number_with_a_wrong_check_digit_is_a_lot_number() -> None:
    assert read_notice("1662,00305170031252") == [NamedLot("1662"), NamedLot("00305170031252")]


@pytest.mark.parametrize("text", ["", " \n ;;\n", "Lot\n"])
def test_refuses_a_notice_without_lots(text: str) -> None:
    with pytest.raises(Refusal, match="RECALL-NO-LOTS"):
        read_notice(text)


def test_refuses_what_is_no_lot_number() -> None:
    with pytest.raises(Refusal, match=r"LOT-NUMBER-INVALID.*is no lot number"):
        read_notice("A1\n" + "x" * 41)


def test_refuses_more_than_it_takes() -> None:
    assert len(read_notice("\n".join(map(str, range(MOST_LOTS))))) == MOST_LOTS
    with pytest.raises(Refusal, match="RECALL-TOO-MANY"):
        read_notice("\n".join(map(str, range(MOST_LOTS + 1))))
