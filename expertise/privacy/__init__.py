"""Privacy: what may leave the house."""

from expertise.privacy.suppress import Suppressed, suppress_small

__all__ = ["Suppressed", "suppress_small"]
