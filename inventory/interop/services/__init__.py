"""What comes in from elsewhere and what is kept: imports, backup, restore. Each is all or nothing, and in the trail."""

from inventory.interop.services.backup import back_up
from inventory.interop.services.imports import Imported, Source
from inventory.interop.services.labs import import_labs
from inventory.interop.services.patients import import_patients
from inventory.interop.services.restore import Restored, restore
from inventory.interop.services.stock import import_stock

__all__ = [
    "Imported",
    "Restored",
    "Source",
    "back_up",
    "import_labs",
    "import_patients",
    "import_stock",
    "restore",
]
