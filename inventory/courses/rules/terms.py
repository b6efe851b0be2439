"""The words of courses, as they are stored."""

from enum import StrEnum


class Unit(StrEnum):
    """What an interval counts. Three times a week is a unit of its own: its days are two, two and three apart."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    THRICE = "thrice"


class SlotState(StrEnum):
    """How it stands with a dose that was due. One slot of a course is open at a time: the next dose."""

    OPEN = "open"
    GIVEN = "given"
    MISSED = "missed"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


class ChangeKind(StrEnum):
    """What was decided about a course after it was ordered, or about one of its slots."""

    ADJUSTED = "adjusted"
    MOVED_ON = "moved_on"
    REVIEWED = "reviewed"
    PAUSED = "paused"
    RESUMED = "resumed"
    ENDED = "ended"
    MISSED = "missed"
    SKIPPED = "skipped"


class CourseState(StrEnum):
    """How it stands with a course. Completed: every dose of its protocol is decided."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"
    COMPLETED = "completed"


class AuthorityKind(StrEnum):
    """Under what a dose may be given to a patient who has no order of their own."""

    STANDING_ORDER = "standing_order"
    GROUP_DIRECTION = "group_direction"
