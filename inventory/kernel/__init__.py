"""The ground every room stands on: the database, the clock, amounts, refusals and permissions."""
