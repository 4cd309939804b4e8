"""Sign-in, accounts, organisations, search."""
