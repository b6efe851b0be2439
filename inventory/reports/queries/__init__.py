"""What the reports room reads: the doses of a period, and the register of what was issued."""
