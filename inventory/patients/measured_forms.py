"""What is typed of results, scores, groups and the checklist."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wtforms import HiddenField

from inventory.kernel.errors import Refusal
from inventory.patients.checklist_queries import Checked
from inventory.patients.laboratory import ANALYTES, Amount, Analyte, decimal, parse_amount, parse_bound
from inventory.patients.models import SYMPTOMS, CareGroup, ChecklistItem, ItemAnswer, ItemSource, LabResult
from inventory.patients.services import Answered, Item, Reading, Sample, Scores
from inventory.patients.terms import ANSWER_WORDS, GROUP_WORDS, SOURCE_WORDS, SYMPTOM_WORDS
from inventory.web.fields import (
    ChoiceField,
    CountField,
    LocalTimeField,
    LongTextField,
    ManyChoiceField,
    RadioChoiceField,
    Required,
    TextField,
    TickField,
    TypedField,
)
from inventory.web.forms import ClinicForm
from inventory.web.typed_text import NotAcceptedError


class LabValueField(TypedField):
    """A value as the laboratory gives it: "210", "0.35", "< 150"."""

    def read(self, text: str) -> Amount:
        """Raises NotAcceptedError LAB-VALUE."""
        try:
            return parse_amount(text)
        except Refusal as refusal:
            raise NotAcceptedError(refusal.code, refusal.message) from refusal


class LabBoundField(TypedField):
    """A bound of the laboratory's range, kept in millionths."""

    def read(self, text: str) -> int:
        """Raises NotAcceptedError LAB-VALUE."""
        try:
            return parse_bound(text)
        except Refusal as refusal:
            raise NotAcceptedError(refusal.code, refusal.message) from refusal

    def write(self, value: int) -> str:
        """As a decimal number."""
        return decimal(value)


class SampleForm(ClinicForm):
    """When a sample was taken, and by which laboratory it was measured."""

    taken_at = LocalTimeField("Sample taken at", [Required("Type when the sample was taken.")])
    laboratory = TextField("Laboratory", limit=120)

    @property
    def sample(self) -> Sample:
        """What was typed, for the service."""
        return Sample(self.taken_at.data, str(self.laboratory.data or ""))


def _unit_choices(analyte: Analyte) -> list[tuple[str, str]]:
    return [(unit.ucum, unit.words) for unit in ANALYTES[analyte].units]


def _line(analyte: Analyte) -> dict[str, Any]:
    """Return the fields of one analyte: b12_value, b12_unit, b12_low, b12_high."""
    name = ANALYTES[analyte].name
    return {
        f"{analyte}_value": LabValueField(name),
        f"{analyte}_unit": ChoiceField(f"{name}: unit", choices=_unit_choices(analyte), blank="Unit"),
        f"{analyte}_low": LabBoundField(f"{name}: range from"),
        f"{analyte}_high": LabBoundField(f"{name}: range to"),
    }


class _LabLines(SampleForm):
    """The results of one sample, several analytes at once."""

    @property
    def lines(self) -> list[tuple[Any, Any, Any, Any]]:
        """The fields of each analyte: value, unit, lower and upper bound."""
        return [tuple(self._fields[f"{analyte}_{part}"] for part in _PARTS) for analyte in Analyte]

    @property
    def readings(self) -> list[Reading]:
        """What was typed, for the service; a line is left out where neither value nor range was."""
        return [
            Reading(analyte, value.data, unit.data or "", low.data, high.data)
            for analyte, (value, unit, low, high) in zip(Analyte, self.lines, strict=True)
            if value.data is not None
        ]

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Refuse a range without its value too: LAB-VALUE."""
        well = bool(super().validate(extra_validators))
        for value, _, low, high in self.lines:
            ranged = any(bound.data is not None or bound.errors for bound in (low, high))
            if ranged and value.data is None and not value.errors:
                self.add_error(value.name, "LAB-VALUE", "Type the value that this range belongs to.")
                well = False
        return well


_PARTS = ("value", "unit", "low", "high")
LabsForm: type[_LabLines] = type(
    "LabsForm", (_LabLines,), {name: made for analyte in Analyte for name, made in _line(analyte).items()}
)
"""A line of fields for each analyte there is."""


class _ReasonForm(ClinicForm):
    reason = LongTextField("Why", [Required("Say why this is not as it was recorded.")])


class RetractForm(_ReasonForm):
    """Why something is taken back."""


class CorrectLabForm(SampleForm, _ReasonForm):
    """What a result should have been."""

    value = LabValueField("Value", [Required("Type the value.")])
    unit = ChoiceField("Unit", [Required("A value without its unit says nothing.")])
    low = LabBoundField("Range from")
    high = LabBoundField("Range to")

    def reading(self, analyte: Analyte) -> Reading:
        """What was typed, for the service."""
        return Reading(analyte, self.value.data, str(self.unit.data or ""), self.low.data, self.high.data)


def correct_lab_form(row: LabResult) -> CorrectLabForm:
    """Return the form with the result as it is recorded."""
    shown = {"value": row.amount, "unit": row.unit, "low": row.low_millionths, "high": row.high_millionths}
    form = CorrectLabForm(data={**shown, "taken_at": row.taken_at, "laboratory": row.laboratory})
    form.unit.offer(_unit_choices(Analyte(row.analyte)))
    return form


def _score(name: str) -> RadioChoiceField:
    label, least, most = SYMPTOM_WORDS[name]
    return RadioChoiceField(
        f"{label}, 0 ({least}) to 10 ({most})", choices=[(str(one), str(one)) for one in range(11)]
    )


class ScoresForm(ClinicForm):
    """How the patient feels, each 0 to 10; what was not asked stays empty."""

    noted_at = LocalTimeField("Visit at", [Required("Type when the patient said so.")])
    energy = _score("energy")
    skin = _score("skin")
    mood = _score("mood")
    numbness = _score("numbness")

    @property
    def scores(self) -> Scores:
        """What was chosen, for the service."""
        chosen = {name: self._fields[name].data for name in SYMPTOMS}
        given = {name: None if value is None else int(value) for name, value in chosen.items()}
        return Scores(self.noted_at.data, **given)

    @property
    def asked(self) -> list[Any]:
        """The fields of the scores."""
        return [self._fields[name] for name in SYMPTOMS]


class CorrectScoresForm(ScoresForm, _ReasonForm):
    """What the scores of a visit should have been."""


class BackgroundForm(ClinicForm):
    """What the patient is treated for, and the groups they belong to."""

    indication = TextField("Indication", limit=200)
    groups = ManyChoiceField("Groups", choices=[(group.value, words) for group, words in GROUP_WORDS.items()])

    @property
    def chosen(self) -> list[CareGroup]:
        """The groups that were ticked."""
        return [CareGroup(code) for code in self.groups.data or []]


class _ChecklistLines(ClinicForm):
    """An answer and a note for each item that is answered here."""

    items: Sequence[ChecklistItem] = ()

    def of(self, item: ChecklistItem) -> tuple[Any, Any]:
        """The two fields of an item."""
        return self._fields[f"answer_{item.id.hex}"], self._fields[f"note_{item.id.hex}"]

    @property
    def answers(self) -> list[Answered]:
        """What was chosen, for the service."""
        fields = [(item, *self.of(item)) for item in self.items]
        return [
            Answered(item.id, ItemAnswer(answer.data or ItemAnswer.OPEN), str(note.data or ""))
            for item, answer, note in fields
        ]


def checklist_form(checked: Iterable[Checked]) -> _ChecklistLines:
    """Return a form with the fields of the items that are answered on the checklist, as they stand."""
    asked = [one for one in checked if one.item.source == ItemSource.ANSWER]
    fields: dict[str, Any] = {"items": [one.item for one in asked]}
    data: dict[str, str] = {}
    choices = [(answer.value, words) for answer, words in ANSWER_WORDS.items()]
    for one in asked:
        key = one.item.id.hex
        fields[f"answer_{key}"] = RadioChoiceField(one.item.title, choices=choices)
        fields[f"note_{key}"] = TextField(f"{one.item.title}: note", limit=200)
        data |= {f"answer_{key}": one.answer.value, f"note_{key}": one.row.note if one.row else ""}
    made: type[_ChecklistLines] = type("ChecklistForm", (_ChecklistLines,), fields)
    return made(data=data)


class ItemForm(ClinicForm):
    """An item of the checklist, as the clinic words it."""

    title = TextField("What must be known", [Required("Say in a few words what must be known.")], limit=120)
    hint = TextField("Hint for whoever answers it", limit=300)
    source = RadioChoiceField(
        "Where the answer comes from",
        [Required("Choose where the answer comes from.")],
        choices=[(source.value, words) for source, words in SOURCE_WORDS.items()],
    )
    position = CountField("Place in the list", [Required("Type a number; smaller ones stand first.")])
    is_retired = TickField("Not asked any more")
    version = HiddenField()

    @property
    def item(self) -> Item:
        """What was typed, for the service."""
        return Item(
            str(self.title.data or ""),
            int(self.position.data or 0),
            str(self.hint.data or ""),
            ItemSource(str(self.source.data)),
            bool(self.is_retired.data),
        )

    @property
    def seen_version(self) -> int:
        """The version that was seen; one that never was where the field is damaged."""
        typed = str(self.version.data or "")
        return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
