"""How far coders, or informants, agree on the same units, with intervals."""
