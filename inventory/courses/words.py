"""The words of courses as people read them."""

from inventory.courses.rules.terms import AuthorityKind, ChangeKind, CourseState, SlotState, Unit

UNIT_WORDS = {
    Unit.DAY: "days",
    Unit.WEEK: "weeks",
    Unit.MONTH: "months",
    Unit.THRICE: "three times a week",
}
AUTHORITY_WORDS = {
    AuthorityKind.STANDING_ORDER: "Standing order",
    AuthorityKind.GROUP_DIRECTION: "Group direction",
}
COURSE_WORDS = {
    CourseState.ACTIVE: ("Goes on", "good"),
    CourseState.PAUSED: ("Paused", "attention"),
    CourseState.ENDED: ("Ended", "quiet"),
    CourseState.COMPLETED: ("Completed", "quiet"),
}
SLOT_WORDS = {
    SlotState.OPEN: ("Due", "info"),
    SlotState.GIVEN: ("Given", "good"),
    SlotState.MISSED: ("Missed", "attention"),
    SlotState.SKIPPED: ("Skipped", "quiet"),
    SlotState.WITHDRAWN: ("Withdrawn", "quiet"),
}
CHANGE_WORDS = {
    ChangeKind.ADJUSTED: "Adjusted",
    ChangeKind.MOVED_ON: "Moved on to the next step",
    ChangeKind.REVIEWED: "Reviewed",
    ChangeKind.PAUSED: "Paused",
    ChangeKind.RESUMED: "Resumed",
    ChangeKind.ENDED: "Ended",
    ChangeKind.MISSED: "Dose missed",
    ChangeKind.SKIPPED: "Dose skipped",
}
