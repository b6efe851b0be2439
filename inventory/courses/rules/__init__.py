"""Pure decisions about protocols, due dates and what follows what."""
