"""Passages that may deserve a code: learned from this study's codings, decided on by people."""
