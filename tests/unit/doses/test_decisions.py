"""What a prescriber may say of a finding: only a reason that fits it. No database."""

from uuid import UUID

import pytest

from inventory.doses.rules.gate import Finding, Weight, override_reasons
from inventory.doses.rules.terms import EntryMode, OverrideReason
from inventory.doses.services.decisions import Decided, Decisions, Override, decide
from inventory.kernel.errors import Refusals
from inventory.kernel.permissions import Actor, Role
from tests.unit.doses.test_gate import CASES

PRESCRIBER = Actor(UUID(int=1), "Petra Prescriber", frozenset({Role.PRESCRIBER}))
OVERRIDABLE = sorted({code for code, weight, _ in CASES if weight is Weight.OVERRIDE})


def decided(code: str, reason: OverrideReason, note: str = "") -> list[Decided]:
    return decide(
        [Finding(code, Weight.OVERRIDE, "Something speaks against it.")],
        Decisions(overrides={code: Override(reason, PRESCRIBER, note)}),
        mode=EntryMode.ABOUT_TO_GIVE,
        actor=PRESCRIBER,
        needs_second_person=False,
    )


@pytest.mark.parametrize("code", OVERRIDABLE)
def test_a_finding_takes_the_reasons_that_fit_it_and_no_other(code: str) -> None:
    fitting = override_reasons(code)
    assert len(fitting) > 1
    assert OverrideReason.OTHER in fitting
    for reason in OverrideReason:
        if reason in fitting:
            assert decided(code, reason, "In words")
        else:
            with pytest.raises(Refusals, match="OVERRIDE-REASON"):
                decided(code, reason, "In words")


def test_another_reason_is_put_in_words() -> None:
    with pytest.raises(Refusals, match="OVERRIDE-NOTE"):
        decided("OVERFILL", OverrideReason.OTHER, " ")
