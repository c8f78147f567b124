"""Codings for and from other programs: REFI-QDA, and plain formats."""
