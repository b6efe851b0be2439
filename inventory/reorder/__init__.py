"""What to order, and why: reorder points against what can really be used."""
