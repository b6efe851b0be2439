"""The dose: the gate before it, the record of it, and what corrects it. Here patients and stock meet."""
