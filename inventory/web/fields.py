"""Form fields that keep what was typed and refuse it beside the field with a stable code.

Law kept here: bad input costs the person nothing. A field that refuses shows the raw text again;
dates and amounts are exact, instants leave here in UTC.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from wtforms import BooleanField, Field, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields import SelectMultipleField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, TextArea, TextInput

from inventory.kernel.errors import Refusal
from inventory.kernel.quantity import format_mcg, format_ml, parse_mcg, parse_ml
from inventory.web import typed_text
from inventory.web.presenting import day, site_zone
from inventory.web.typed_text import CodedMessage, NotAcceptedError

Choice = tuple[Any, ...]
Choices = Iterable[Choice]


class Required:
    """The field must be filled in: FIELD-REQUIRED. A blank is not an answer."""

    field_flags = {"required": True}  # noqa: RUF012 -- read by WTForms as a class attribute

    def __init__(self, message: str = "") -> None:
        """`message` says what to enter; without one it just says so."""
        self.message = message

    def __call__(self, form: object, field: Field) -> None:
        """Stop at an empty field, and say only that."""
        # Zero is an answer, although Python holds it equal to False.
        missing = field.data is None or field.data is False or field.data in ("", [])
        if missing and not field.errors:
            raise StopValidation(CodedMessage("FIELD-REQUIRED", self.message or "This is needed."))


class Between:
    """The number or date lies in a range: VALUE-RANGE."""

    def __init__(self, least: Any = None, most: Any = None, message: str = "") -> None:
        """Either bound may be left open; both are allowed values."""
        self.least, self.most, self.message = least, most, message

    def __call__(self, form: object, field: Field) -> None:
        """Refuse a value outside; an empty field is not this rule's business."""
        if field.data is None:
            return
        low = self.least is not None and field.data < self.least
        if low or (self.most is not None and field.data > self.most):
            raise ValidationError(CodedMessage("VALUE-RANGE", self.message or self._said()))

    def _said(self) -> str:
        low, high = _shown(self.least), _shown(self.most)
        if low and high:
            return f"From {low} to {high}."
        return f"{low} or more." if low else f"{high} or less."


def _shown(bound: Any) -> str:
    if bound is None:
        return ""
    return day(bound) if isinstance(bound, date) else f"{bound:,}"


class TextField(StringField):
    """One line of text, composed and stripped; empty is the empty string."""

    lines = False
    is_code = False

    def __init__(self, *args: Any, limit: int | None = None, **kwargs: Any) -> None:
        """`limit` is the most characters allowed; 200, or 2,000 for a long text."""
        super().__init__(*args, **kwargs)
        self.limit = limit or (typed_text.LONG_TEXT_LIMIT if self.lines else typed_text.TEXT_LIMIT)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Clean what was typed. Raises NotAcceptedError TEXT-CONTROL, TEXT-TOO-LONG."""
        if not valuelist:
            self.data = ""
            return
        self.data = typed_text.without_unseen(valuelist[0], lines=self.lines, is_code=self.is_code)
        self.data = typed_text.clean_text(
            valuelist[0], limit=self.limit, lines=self.lines, is_code=self.is_code
        )


class CodeField(TextField):
    """A number or code, as printed on a label or a card: no invisible character stands in it."""

    is_code = True


class LongTextField(TextField):
    """Several lines of text, up to 2,000 characters."""

    lines = True
    widget = TextArea()


class SecretField(PasswordField):
    """A password or code: taken exactly as typed, never shown again."""


class TypedField(Field):
    """Base of fields that read one piece of text into a value; None when left empty."""

    widget = TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return typed_text.without_unseen(str(self.raw_data[0]))[: typed_text.TEXT_LIMIT]
        return "" if self.data is None else self.write(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the text; the raw text stays for showing again."""
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if text:
            self.data = self.read(text)

    def read(self, text: str) -> Any:
        """Return the value of `text`. Raises NotAcceptedError."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """Return `value` as it is typed."""
        return str(value)


class DateField(TypedField):
    """A day. `input_type` falls back to text to keep a day that does not exist visible."""

    native_type = "date"

    @property
    def input_type(self) -> str:
        """The kind of input that can show the present text."""
        return "text" if self.errors and any(self.raw_data or []) else self.native_type

    def read(self, text: str) -> date:
        """Raises NotAcceptedError DATE-INVALID."""
        return typed_text.parse_date(text)


class ExpiryField(DateField):
    """An expiry as printed on the pack: a day, or a month alone, whose last day it then is."""

    native_type = "text"
    month_only = False  # whether only a month was typed

    def read(self, text: str) -> date:
        """Raises NotAcceptedError DATE-INVALID."""
        self.month_only = typed_text.is_month_alone(text)
        return typed_text.parse_expiry(text)


class LocalTimeField(DateField):
    """A clock reading at the site, kept as the UTC instant it means.

    A reading that the clock shows twice is asked about (TIME-AMBIGUOUS) through the radio pair
    `<name>-which`; one that it skips is refused (TIME-NONEXISTENT).
    """

    native_type = "datetime-local"

    def __init__(self, *args: Any, zone: Callable[[], ZoneInfo] = site_zone, **kwargs: Any) -> None:
        """`zone` tells the zone of the clock that was read; the site's by default."""
        super().__init__(*args, **kwargs)
        self.zone = zone
        self.which: str | None = None
        self.candidates: list[tuple[str, str]] = []

    def process(self, formdata: Any, *args: Any, **kwargs: Any) -> None:
        """Learn first which of two equal readings was meant, then read the clock."""
        self.which = formdata.get(f"{self.name}-which") if formdata else None
        super().process(formdata, *args, **kwargs)

    def read(self, text: str) -> datetime:
        """Raises NotAcceptedError DATE-INVALID, TIME-INVALID, TIME-AMBIGUOUS, TIME-NONEXISTENT."""
        zone = self.zone()
        instants = typed_text.instants_of(typed_text.parse_local_time(text), zone)
        if not instants:
            raise NotAcceptedError(
                "TIME-NONEXISTENT", "The clock skipped this hour that night. Check the time."
            )
        if len(instants) == 1:
            return instants[0]
        self.candidates = [
            (str(n), f"{i.astimezone(zone):%H:%M} {i.astimezone(zone).tzname()} ({word})")
            for n, (i, word) in enumerate(zip(instants, ("first time", "second time"), strict=True))
        ]
        if self.which not in {"0", "1"}:
            raise NotAcceptedError(
                "TIME-AMBIGUOUS", "The clock showed this time twice that night. Say which."
            )
        return instants[int(self.which)]

    def write(self, value: datetime) -> str:
        """The reading of the site's clock at that instant."""
        return f"{value.astimezone(self.zone()):%Y-%m-%dT%H:%M}"


class AmountField(TypedField):
    """An exact decimal number, with at most `places` digits after the point."""

    def __init__(self, *args: Any, places: int = 3, **kwargs: Any) -> None:
        """`places` limits the digits after the point."""
        super().__init__(*args, **kwargs)
        self.places = places

    def read(self, text: str) -> Decimal:
        """Raises NotAcceptedError AMOUNT-INVALID."""
        return typed_text.parse_amount(text, places=self.places)


class CountField(TypedField):
    """A whole number of things, zero or more."""

    def read(self, text: str) -> int:
        """Raises NotAcceptedError NUMBER-INVALID."""
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise NotAcceptedError("NUMBER-INVALID", "Type a whole number in digits, such as 25.")
        return int(text)


class _QuantityField(TypedField):
    """A positive amount read by the kernel into whole small units."""

    parse: Callable[[str], int]
    show: Callable[[int], str]

    def read(self, text: str) -> int:
        """Raises NotAcceptedError AMOUNT-INVALID."""
        try:
            return type(self).parse(text)
        except Refusal as refusal:
            raise NotAcceptedError(refusal.code, refusal.message) from refusal

    def write(self, value: int) -> str:
        """Ungrouped, so that it can be edited."""
        return type(self).show(value).replace(",", "")


class VolumeField(_QuantityField):
    """A volume typed in mL, kept in whole microlitres."""

    parse = staticmethod(parse_ml)
    show = staticmethod(format_ml)


class DoseField(_QuantityField):
    """A dose typed in mcg, kept in whole nanograms."""

    parse = staticmethod(parse_mcg)
    show = staticmethod(format_mcg)


class _Offering(SelectField):
    """A closed choice; what is offered may be set by the view, for this person and this moment."""

    blank: str | None = None

    def offer(self, choices: Choices) -> None:
        """Set the answers, as (value, label) pairs or triples with attributes of the option.

        `form.product.offer((p.id, p.name) for p in products)` stands between making and validating.
        """
        first: list[Choice] = [] if self.blank is None else [("", self.blank)]
        offered: list[Choice] = [(str(value), *rest) for value, *rest in choices]
        self.offered = {choice[0] for choice in offered}
        self.choices = first + offered

    def refuse_unless_offered(self, answers: Iterable[Any]) -> None:
        """Refuse an answer that was not offered: CHOICE-INVALID."""
        if {str(answer) for answer in answers} - self.offered:
            raise StopValidation(CodedMessage("CHOICE-INVALID", "Choose from the answers offered here."))


class _OneOf(_Offering):
    def __init__(self, *args: Any, choices: Choices = (), blank: str | None = None, **kwargs: Any) -> None:
        """`blank` is the wording of an empty first choice ("Choose a product")."""
        kwargs["validate_choice"] = False
        super().__init__(*args, **kwargs)
        self.blank = blank
        self.offer(choices)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the text; an empty choice is None."""
        self.data = (valuelist[0] or None) if valuelist else None

    def pre_validate(self, form: object) -> None:
        """Refuse what was not offered: CHOICE-INVALID."""
        self.refuse_unless_offered([] if self.data is None else [self.data])


class ChoiceField(_OneOf):
    """A drop-down list."""


class RadioChoiceField(_OneOf, RadioField):
    """All answers visible at once; for two to seven of them."""


class ManyChoiceField(SelectMultipleField, _Offering):
    """Check boxes, none or several."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, *args: Any, choices: Choices = (), **kwargs: Any) -> None:
        """`choices` are (value, label) pairs."""
        kwargs["validate_choice"] = False
        super().__init__(*args, **kwargs)
        self.offer(choices)

    def pre_validate(self, form: object) -> None:
        """Refuse what was not offered: CHOICE-INVALID."""
        self.refuse_unless_offered(self.data or [])


class TickField(BooleanField):
    """One tick box."""


class RequestKeyField(HiddenField):
    """Names one act: made when the page is first shown, sent again with it, so that twice is once."""

    def process_data(self, value: Any) -> None:
        """A new page gets a new key."""
        self.data = value or str(uuid4())

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the key that came. Raises NotAcceptedError REQUEST-KEY for one that is no key."""
        if not valuelist:
            return
        try:
            self.data = str(UUID(valuelist[0]))
        except ValueError:
            raise NotAcceptedError(
                "REQUEST-KEY", "This page was changed on the way. Send it again."
            ) from None
