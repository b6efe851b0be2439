"""The clinic itself: its sites, their storage locations, its numbers and its settings."""
