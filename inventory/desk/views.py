"""The pages of the desk, each in a module of its own."""

from inventory.desk import record, today
from inventory.desk.blueprint import bp

__all__ = ["bp", "record", "today"]
