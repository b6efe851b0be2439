"""The pages of courses: protocols, authorities, and the courses of a patient."""

from flask import Flask

from inventory.courses import belonging, services
from inventory.courses.views import authorities, changing, courses, protocols
from inventory.courses.views.blueprint import bp
from inventory.patients.services.states import UPON_DEATH

__all__ = ["authorities", "belonging", "bp", "changing", "courses", "init_app", "protocols"]


def init_app(_app: Flask) -> None:
    """Let nothing be due to a patient of whom the record says that they died."""
    if services.end_upon_death not in UPON_DEATH:
        UPON_DEATH.append(services.end_upon_death)
