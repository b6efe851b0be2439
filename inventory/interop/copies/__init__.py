"""How a whole clinic is copied out of either database and back into it; `services` decides when it may be."""
