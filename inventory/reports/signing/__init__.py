"""Signing: the clinic's key and its file, and what is done to a PDF to sign it (PAdES)."""
