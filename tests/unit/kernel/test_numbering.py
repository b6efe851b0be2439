"""Numbers that a site gives: written one way, and read back from a scan."""

import pytest

from inventory.kernel.numbering import read_vial_code, vial_code


def test_a_vials_code_names_its_site_and_its_number() -> None:
    assert vial_code("MAIN", 12) == "MAIN-V000012"
    assert read_vial_code(" main-v000012\r\n") == ("MAIN", 12)
    assert read_vial_code(vial_code("NORTH-2", 1_234_567)) == ("NORTH-2", 1_234_567)


@pytest.mark.parametrize("text", ["", "MAIN-000012", "MAIN-V000000", "-V1", "MAIN-V12X", "V12", "MAIN V12"])
def test_anything_else_is_no_vial(text: str) -> None:
    assert read_vial_code(text) is None
