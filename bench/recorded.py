"""The very statements of doses, as the application sent them to the driver: what the floor replays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event


@dataclass(frozen=True, slots=True)
class Statement:
    """One call of the driver: text and parameters (a mapping on PostgreSQL, a sequence on SQLite; a list of them if many)."""

    text: str
    parameters: Any
    many: bool


Transaction = list[Statement]


@dataclass
class Recorder:
    """Keeps the statements of every committed transaction that inserted a dose, in the order of their commits."""

    doses: list[Transaction] = field(default_factory=list)

    @contextmanager
    def listening(self, engine: Engine) -> Iterator[None]:
        """Listen to `engine` inside the block."""
        hooks = {
            "before_cursor_execute": self._executed,
            "commit": self._committed,
            "rollback": self._forgotten,
        }
        for name, hook in hooks.items():
            event.listen(engine, name, hook)
        try:
            yield
        finally:
            for name, hook in hooks.items():
                event.remove(engine, name, hook)

    def _executed(self, connection: Any, _cursor: Any, text: str, *rest: Any) -> None:
        parameters, _context, many = rest
        connection.info.setdefault("recorded", []).append(Statement(text, parameters, many))

    def _committed(self, connection: Any) -> None:
        done: Transaction = connection.info.pop("recorded", [])
        if any(statement.text.startswith("INSERT INTO dose (") for statement in done):
            self.doses.append(done)

    def _forgotten(self, connection: Any) -> None:
        connection.info.pop("recorded", None)
