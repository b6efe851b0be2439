"""The pages of courses: protocols, authorities, and the courses of a patient."""

from inventory.courses import belonging
from inventory.courses.views import authorities, changing, courses, protocols
from inventory.courses.views.blueprint import bp

__all__ = ["authorities", "belonging", "bp", "changing", "courses", "protocols"]
