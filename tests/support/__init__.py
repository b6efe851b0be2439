"""What the tests stand on: real databases, a client that checks every page, a browser."""
