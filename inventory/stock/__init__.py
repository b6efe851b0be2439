"""The stock room: lots, vials and the ledger that always balances. It never learns of patients."""
