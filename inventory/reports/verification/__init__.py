"""Whether a file is a report of this clinic, unchanged, and still what the record says: each check a line in plain words."""
