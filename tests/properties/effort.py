"""How long hypothesis tries: short in `make test`; PROPERTY_EFFORT=20 in the environment tries twenty times as many histories."""

import os

from hypothesis import HealthCheck, settings

EFFORT = float(os.environ.get("PROPERTY_EFFORT", "1"))


def effort(histories: int, steps: int) -> settings:
    """Return the settings of a machine that tries so many `histories` of at most so many `steps`, times PROPERTY_EFFORT."""
    return settings(
        max_examples=max(1, round(histories * EFFORT)),
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
