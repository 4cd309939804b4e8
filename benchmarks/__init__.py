"""Measured claims about speed: `make bench`. What each one is, and how it is measured: README.md."""
