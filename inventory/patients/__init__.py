"""The people who are given doses: who they are, what must be known before a dose, and their consent."""
