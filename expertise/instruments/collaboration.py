"""A form on working together, role by role: a free form of our own, not a validated measure."""

from collections.abc import Sequence

import pandas as pd

from expertise.errors import DataError
from expertise.instruments.library import load_instrument


def collaboration_form(roles: Sequence[str], lang: str = "en") -> pd.DataFrame:
    """Return the blank form on collaboration: who answers, about whom, item and words.

    No validated questionnaire on the collaboration of patient, naaste and
    professional is known; this form states its items openly so that a study
    can adapt them. Filled in, with a column `value`, it goes to
    ``score(form, "collaboration")`` as it is, and its role × role means suit a
    social relations model.

    Parameters
    ----------
    roles : sequence of str
        The roles that work together, at least two.
    lang : {"en", "nl"}
        Language of the items.

    Returns
    -------
    DataFrame
        Columns perspective, about, item, text; a row for every pair of roles and item.

    Raises
    ------
    DataError
        Fewer than two different roles.

    Examples
    --------
    >>> len(collaboration_form(["patient", "naaste", "professional"]))
    36
    """
    if len(set(roles)) < 2 or len(set(roles)) != len(roles):
        raise DataError(f"{len(set(roles))} different roles given; name two or more, each once")
    texts = load_instrument("collaboration").labels[lang]
    rows = [
        {"perspective": role, "about": other, "item": item, "text": text}
        for role in roles
        for other in roles
        if other != role
        for item, text in enumerate(texts, start=1)
    ]
    return pd.DataFrame(rows)
