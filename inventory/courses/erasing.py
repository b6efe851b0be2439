"""What an erasure makes of the words about a patient in their courses."""

from sqlalchemy import select

from inventory.audit.erasing import ERASED, erasable
from inventory.courses.models import Course, CourseChange

erasable(
    "course",
    "id",
    lambda session, patient_id: session.scalars(select(Course.id).where(Course.patient_id == patient_id)),
    indication=ERASED,
)
erasable(
    "course_change",
    "id",
    lambda session, patient_id: session.scalars(
        select(CourseChange.id)
        .join(Course, Course.id == CourseChange.course_id)
        .where(Course.patient_id == patient_id)
    ),
    reason=ERASED,
)
