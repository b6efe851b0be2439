"""A clinic's inventory of injectable vials and its log of every dose given."""
