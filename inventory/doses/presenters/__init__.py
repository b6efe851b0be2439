"""How the pages of the doses room put things: rows and words, worked out once, so that templates only print."""
