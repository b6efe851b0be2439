"""The documents themselves, as files: pure drawing and writing, without Flask and without the database."""
