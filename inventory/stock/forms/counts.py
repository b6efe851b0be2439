"""The forms of counts. What is asked in them depends on what is listed, or on what differed; how much there should be is in none."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar, cast
from uuid import UUID

from wtforms import HiddenField

from inventory.catalogue.forms import ScanField
from inventory.stock import counting, words
from inventory.stock.models import AdjustReason
from inventory.stock.queries import CountedLine, ToCount
from inventory.stock.services import MOST_CONTAINERS, Explanation, Tally
from inventory.web.fields import (
    Between,
    ChoiceField,
    CountField,
    DateField,
    LongTextField,
    RadioChoiceField,
    Required,
    SecretField,
    TextField,
    VolumeField,
)
from inventory.web.forms import ClinicForm, FilterForm

Form = TypeVar("Form", bound=ClinicForm)
_EMPTY = "Count this too. Type 0 if nothing of it is there."
_DAYS = Between(date(2000, 1, 1), date(2099, 12, 31))


class CountsFilter(FilterForm):
    """Which counts to show, and the days over which they are summed up."""

    location = ChoiceField("Location", blank="All locations")
    first_day = DateField("Handed in from", [_DAYS])
    last_day = DateField("To", [_DAYS])


class StartCountForm(ClinicForm):
    """Where to count."""

    location = RadioChoiceField("What is counted", [Required("Choose what you count.")])


class SheetForm(ClinicForm):
    """What was counted. `also` names lots that were found besides those listed."""

    found = ScanField("Lot number or scan")
    also = HiddenField()
    note = LongTextField("Note")

    def tally(self, sheet: Iterable[ToCount]) -> Tally:
        """Return what was typed of what is listed."""
        typed = [(line, self[line.field].data) for line in sheet]
        return Tally(
            containers={line.lot.id: number for line, number in typed if not line.vial},
            volumes_ul={line.vial.id: volume for line, volume in typed if line.vial},
            note=str(self.note.data),
        )


class PostForm(ClinicForm):
    """Why each line differs, and the second person where one is needed."""

    approver_username = TextField("Second person, user name", limit=80)
    approver_password = SecretField("Second person, password")

    def explanations(self, lines: Iterable[CountedLine]) -> Mapping[int, Explanation]:
        """Return the reasons by the position of their line."""
        positions = [line.line.position for line in lines]
        return {
            n: Explanation(AdjustReason(self[f"reason_{n}"].data), str(self[f"note_{n}"].data))
            for n in positions
        }


def sheet_form(sheet: Iterable[ToCount], *, also: Iterable[UUID] = ()) -> SheetForm:
    """Return the form in which everything listed is counted, with lots found besides."""
    form = _with_fields(SheetForm, {line.field: _asked(line) for line in sheet})
    form.also.data = " ".join(lot_id.hex for lot_id in also)
    return form


def post_form(lines: Iterable[CountedLine]) -> PostForm:
    """Return the form in which every difference gets its reason."""
    fields: dict[str, Any] = {}
    for line in lines:
        position, what = line.line.position, _named(line)
        offered = [(reason.value, words.COUNTED[reason]) for reason in counting.reasons_for(line)]
        needed = [Required("Choose why it differs.")]
        fields[f"reason_{position}"] = ChoiceField(
            f"{what}: why", needed, choices=offered, blank="Choose a reason"
        )
        fields[f"note_{position}"] = TextField(f"{what}: in words", limit=200)
    return _with_fields(PostForm, fields)


def _named(line: CountedLine | ToCount) -> str:
    return f"Vial {line.vial.label_number}" if line.vial else f"Lot {line.lot.lot_number}"


def _asked(line: ToCount) -> Any:
    if line.vial:
        return VolumeField(_named(line), [Required(_EMPTY)])
    return CountField(_named(line), [Required(_EMPTY), Between(0, MOST_CONTAINERS)])


def _with_fields(base: type[Form], fields: Mapping[str, Any]) -> Form:
    made = type(base.__name__, (base,), dict(fields))
    return cast(Form, made())
