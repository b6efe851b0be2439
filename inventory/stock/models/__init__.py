"""The tables of stock. The laws that the database holds over them are in `migrations/sql/`."""

from inventory.stock.models.counts import (
    StockCount,
    StockCountLine,
    StockCountResult,
    StockCountVariance,
)
from inventory.stock.models.disposals import (
    Disposal,
    DisposalLine,
)
from inventory.stock.models.ledger import (
    Account,
    Movement,
    Receipt,
)
from inventory.stock.models.lots import (
    Hold,
    Lot,
    LotCorrection,
    Vial,
)
from inventory.stock.models.recalls import (
    Recall,
    RecallLine,
)
from inventory.stock.models.temperature import (
    ExcursionHold,
    TemperatureExcursion,
    TemperatureReading,
)
from inventory.stock.models.terms import (
    AccountKind,
    AdjustReason,
    CountOutcome,
    DisposalKind,
    ExcursionDecision,
    HoldKind,
    MovementKind,
    ReadingSource,
    TransferDifference,
    VialClosure,
    WasteReason,
)
from inventory.stock.models.transfers import (
    Transfer,
    TransferLine,
    TransferReceipt,
    TransferReceiptLine,
)

__all__ = [
    "Account",
    "AccountKind",
    "AdjustReason",
    "CountOutcome",
    "Disposal",
    "DisposalKind",
    "DisposalLine",
    "ExcursionDecision",
    "ExcursionHold",
    "Hold",
    "HoldKind",
    "Lot",
    "LotCorrection",
    "Movement",
    "MovementKind",
    "ReadingSource",
    "Recall",
    "RecallLine",
    "Receipt",
    "StockCount",
    "StockCountLine",
    "StockCountResult",
    "StockCountVariance",
    "TemperatureExcursion",
    "TemperatureReading",
    "Transfer",
    "TransferDifference",
    "TransferLine",
    "TransferReceipt",
    "TransferReceiptLine",
    "Vial",
    "VialClosure",
    "WasteReason",
]
