"""Privacy: what may leave the house, what is taken back, what must not slip out."""

from expertise.privacy.guard import Guarded, check_for_quotes, index_texts
from expertise.privacy.release import Released, TablePlan, release_tables
from expertise.privacy.suppress import Suppressed, suppress_small
from expertise.privacy.withdraw import Withdrawal, refuse_withdrawn, withdraw

__all__ = [
    "Guarded", "Released", "Suppressed", "TablePlan", "Withdrawal", "check_for_quotes",
    "index_texts", "refuse_withdrawn", "release_tables", "suppress_small", "withdraw",
]  # fmt: skip
