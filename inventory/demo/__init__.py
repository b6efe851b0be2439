"""A clinic built through the services only, so that everything in it obeys every law."""
