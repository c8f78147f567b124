"""Coding together: a codebook, acts that are never changed, and what stands after them."""
