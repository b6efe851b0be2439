"""A logger's file is read whatever its separator, its decimals and its dates; a bad line is named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from inventory.kernel.errors import Refusal
from inventory.stock.logger_files import MOST_LINES, DayOrder, Logged, Manner, Unit, read_logger_file

LONDON = ZoneInfo("Europe/London")
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def read(text: str | bytes, **manner: object) -> Logged:
    raw = text if isinstance(text, bytes) else text.encode()
    return read_logger_file(raw, Manner(LONDON, **manner), until=UNTIL)  # type: ignore[arg-type]


def told(logged: Logged) -> list[tuple[str, int]]:
    return [(f"{one.read_at:%Y-%m-%dT%H:%M:%S}", one.decicelsius) for one in logged.readings]


EXPECTED = [("2026-03-01T09:00:00", 52), ("2026-03-01T09:10:00", -5)]


@pytest.mark.parametrize(
    "text",
    [
        "timestamp;temperature\n2026-03-01 09:00;5,2\n2026-03-01 09:10;-0,5\n",
        "Date,Time,Temp (°C)\n2026-03-01,09:00:00,5.2\n2026-03-01,09:10:00,-0.5\n",
        "2026-03-01T09:00:00Z;5.2\n2026-03-01T10:10:00+01:00;-0.5\n",
        "No.\tDate Time\tCh1\n1\t01/03/2026 09:00\t5.2 °C\n2\t01/03/2026 09:10\t-0.5 °C\n",
        'Logger;T-1000\nSerial;77\n\nNr;Datum;Uhrzeit;Temperatur\n1;01.03.2026;09:00;"5,2"\n2;01.03.26;09:10;-0,5\n',
        '"Date/Time","Celsius(C)","High"\n"2026-03-01 09:00:00","5.2","8"\n"2026-03-01 09:10:00","-0.5","8"\n',
        "timestamp;celsius\r\n2026-03-01 9:00 AM;5.2\r\n\r\n2026-03-01 9:10 am;-0.5\r\n",
        "2026-03-01,09:00,5.2\n2026-03-01,09:10,-0.5\n",
    ],
)
def test_reads_the_shapes_that_loggers_write(text: str) -> None:
    logged = read(text)
    assert logged.faults == []
    assert told(logged) == EXPECTED


def test_reads_the_code_pages_of_loggers() -> None:
    text = "Date;Temp °C\n2026-03-01 09:00;5.2\n2026-03-01 09:10;-0.5\n"
    for encoding in ("utf-8-sig", "utf-16", "latin-1"):
        assert told(read(text.encode(encoding))) == EXPECTED


def test_the_person_says_the_order_of_day_and_month() -> None:
    text = "date;time;temp\n03/01/2026;09:00;5.2\n"
    assert told(read(text)) == [("2026-01-03T09:00:00", 52)]
    assert told(read(text, day_order=DayOrder.MONTH_FIRST)) == [("2026-03-01T09:00:00", 52)]


def test_fahrenheit_becomes_tenths_of_a_degree_celsius() -> None:
    text = "timestamp,temp\n2026-03-01 09:00,41.4\n2026-03-01 09:10,32\n"
    assert [one[1] for one in told(read(text, unit=Unit.FAHRENHEIT))] == [52, 0]


@pytest.mark.parametrize(
    "header, unit", [("Temp (°F)", Unit.CELSIUS), ("Temperature Celsius", Unit.FAHRENHEIT)]
)
def test_a_header_of_the_other_unit_stops(header: str, unit: Unit) -> None:
    with pytest.raises(Refusal) as caught:
        read(f"timestamp;{header}\n2026-03-01 09:00;5.2\n", unit=unit)
    assert (caught.value.code, caught.value.field) == ("LOGGER-UNIT", "unit")


def test_a_bad_line_is_named_and_the_others_are_kept() -> None:
    logged = read(
        "timestamp;temperature\n"
        "2026-03-01 09:00;5.2\n"
        "2026-02-30 09:00;5.2\n"
        "2026-03-01 25:00;5.2\n"
        "yesterday;5.2\n"
        "2026-03-01 09:10;---\n"
        "2026-03-01 09:20;100.1\n"
        "2026-12-01 09:30;5.0\n"
        "2024-12-01 09:30;5.0\n"
        "2026-03-01 09:00;6.0\n"
        "2026-03-01 09:00;5.2\n"
        "2026-03-29 01:30;5.2\n"
        "2026-03-01 09:40\n"
    )
    assert told(logged) == [("2026-03-01T09:00:00", 52)]
    assert [fault.line for fault in logged.faults] == [3, 4, 5, 6, 7, 8, 9, 10, 12, 13]
    said = [fault.reason for fault in logged.faults]
    assert "does not exist" in said[0]
    assert "still to come" in said[5]
    assert "another temperature" in said[7]
    assert "skipped" in said[8]


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01 00:00+14:00",
        "0001-01-01 00:00",
        "9999-12-31 23:59-14:00",
        "9999-12-31 23:59",
        "2026-03-01 09:00+99:99",
        "2026-03-01 09:00+14:01",
        "2026-03-01 09:00+01:60",
        "2026-03-01 13:00 PM",
        "2026-03-01 00:30 am",
    ],
)
def test_a_clock_that_nobody_has_is_a_bad_line(moment: str) -> None:
    logged = read(f"timestamp;temp\n{moment};5\n2026-03-01 09:00+14:00;5.2\n")
    assert [fault.line for fault in logged.faults] == [2]
    assert told(logged) == [("2026-02-28T19:00:00", 52)]


def test_noon_and_midnight_of_a_clock_of_twelve_hours() -> None:
    logged = read("timestamp;temp\n2026-03-01 12:30 am;5\n2026-03-01 12:30 pm;6\n")
    assert told(logged) == [("2026-03-01T00:30:00", 50), ("2026-03-01T12:30:00", 60)]


def test_an_hour_that_comes_twice_goes_on() -> None:
    lines = [f"2026-10-25 0{hour}:{minute:02}" for hour in (0, 1, 1, 2) for minute in (0, 30)]
    logged = read("timestamp;temperature\n" + "".join(f"{line};5.0\n" for line in lines))
    assert [f"{one.read_at:%H:%M}" for one in logged.readings] == [
        "23:00", "23:30", "00:00", "00:30", "01:00", "01:30", "02:00", "02:30",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "raw, code",
    [
        (b"", "LOGGER-EMPTY"),
        (b" \n;;\n", "LOGGER-EMPTY"),
        (b"timestamp;temperature\n", "LOGGER-EMPTY"),
        (b"PK\x03\x04zip", "LOGGER-NOT-TEXT"),
        (b"a\x00b", "LOGGER-NOT-TEXT"),
        (b"\xff\xfea", "LOGGER-NOT-TEXT"),
        (b"name;phone\nAda;1\n", "LOGGER-COLUMNS"),
        (b"x" * (5 * 1024 * 1024 + 1), "LOGGER-TOO-LARGE"),
        (b"2026-03-01 09:00;5\n" * (MOST_LINES + 100), "LOGGER-TOO-LARGE"),
    ],
)
def test_what_is_no_logger_file_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(raw)
    assert caught.value.code == code
