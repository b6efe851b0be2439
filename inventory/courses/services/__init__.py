"""Every write about protocols, courses and authorities. What `doses` calls inside its own acts is in `slots`."""

from inventory.courses.services.authorities import add_authority, withdraw_authority
from inventory.courses.services.changing import (
    adjust_course,
    end_course,
    end_upon_death,
    move_on,
    pause_course,
    resume_course,
    review_course,
)
from inventory.courses.services.deciding import decide_slot
from inventory.courses.services.protocols import (
    add_protocol,
    add_shipped,
    new_version,
    withdraw_protocol,
)
from inventory.courses.services.slots import fulfil, give_back, redate
from inventory.courses.services.starting import start_course

__all__ = [
    "add_authority",
    "add_protocol",
    "add_shipped",
    "adjust_course",
    "decide_slot",
    "end_course",
    "end_upon_death",
    "fulfil",
    "give_back",
    "move_on",
    "new_version",
    "pause_course",
    "redate",
    "resume_course",
    "review_course",
    "start_course",
    "withdraw_authority",
    "withdraw_protocol",
]
