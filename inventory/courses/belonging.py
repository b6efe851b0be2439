"""To which site a course and its slots belong: the one that gives it. Protocols and authorities are the whole clinic's."""

from sqlalchemy import select

from inventory.clinic.sight import belongs, of_column
from inventory.courses.models import Course, CourseSlot

belongs("course_id", "course", of_column(lambda key: select(Course.site_id).where(Course.id == key)))
belongs(
    "slot_id",
    "dose that was due",
    of_column(lambda key: select(CourseSlot.site_id).where(CourseSlot.id == key)),
)
