"""Privacy: what may leave the house, what is taken back, what must not slip out."""

from expertise.files.tombstones import refuse_withdrawn
from expertise.privacy.guard import Guarded, check_for_quotes, index_texts
from expertise.privacy.release import Released, TablePlan, release_tables
from expertise.privacy.suppress import Suppressed, suppress_small
from expertise.privacy.withdraw import Withdrawal, show_text, withdraw

__all__ = [
    "Guarded", "Released", "Suppressed", "TablePlan", "Withdrawal", "check_for_quotes",
    "index_texts", "refuse_withdrawn", "release_tables", "show_text", "suppress_small", "withdraw",
]  # fmt: skip
