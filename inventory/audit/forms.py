"""What a reader of the trail may ask for."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from inventory.audit.queries import Sought
from inventory.web.fields import ChoiceField, CodeField, DateField, LocalTimeField
from inventory.web.forms import FilterForm
from inventory.web.presenting import site_zone


class AccessFilter(FilterForm):
    """Whose looks, at whom, on which days of the site."""

    person = ChoiceField("Person", blank="Anybody")
    record_number = CodeField("Patient's record number", limit=40)
    from_on = DateField("From")
    to_on = DateField("To")

    def validate(self, extra_validators: object = None) -> bool:
        """Also refuse days in the wrong order: DAYS-ORDER."""
        fine = bool(super().validate(extra_validators))
        if fine and self.from_on.data and self.to_on.data and self.from_on.data > self.to_on.data:
            self.add_error("to_on", "DAYS-ORDER", "The last day is before the first.")
            return False
        return fine

    @property
    def sought(self) -> Sought:
        """What is asked for, in instants."""
        return Sought(
            person_id=UUID(self.person.data) if self.person.data else None,
            record_number=str(self.record_number.data or ""),
            from_at=_start(self.from_on.data),
            to_at=_start(self.to_on.data, days=1),
        )


class ViewsFilter(AccessFilter):
    """What which auditor was shown, on which days of the site."""

    record_number = None  # type: ignore[assignment]

    @property
    def sought(self) -> Sought:
        """What is asked for, in instants."""
        return Sought(
            person_id=UUID(self.person.data) if self.person.data else None,
            from_at=_start(self.from_on.data),
            to_at=_start(self.to_on.data, days=1),
        )


class TrailFilter(AccessFilter):
    """What was done, by whom, to whom or what, on which days of the site, or from which minute until which."""

    action = ChoiceField("What was done", blank="Anything")
    subject = CodeField("Subject", limit=36)
    lot_number = CodeField("Lot", limit=40)
    dose_number = CodeField("Dose", limit=40)
    from_at = LocalTimeField("From this minute")
    to_at = LocalTimeField("Until this minute")

    @property
    def sought(self) -> Sought:
        """What is asked for, in instants."""
        asked = super().sought
        return Sought(
            action=str(self.action.data or ""),
            person_id=asked.person_id,
            subject_id=_id(str(self.subject.data or "")),
            record_number=asked.record_number,
            lot_number=str(self.lot_number.data or ""),
            dose_number=str(self.dose_number.data or ""),
            from_at=max(filter(None, (asked.from_at, self.from_at.data)), default=None),
            to_at=min(filter(None, (asked.to_at, self.to_at.data)), default=None),
        )


def _start(day: date | None, *, days: int = 0) -> datetime | None:
    """Return the instant at which a day of the site begins."""
    return datetime.combine(day + timedelta(days=days), time(), tzinfo=site_zone()) if day else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return UUID(int=0)
