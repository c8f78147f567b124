"""For whom a report is: released to anyone, or internal, where persons may be shown."""

import os
from typing import Literal, cast

from expertise.errors import PrivacyError

Audience = Literal["released", "internal"]
VARIABLE = "EXPERTISE_AUDIENCE"


def current_audience() -> Audience:
    """Return the audience that the report command set; released when nobody did."""
    name = os.environ.get(VARIABLE, "released")
    if name not in ("released", "internal"):
        raise PrivacyError(f"{VARIABLE} is {name!r}; allowed are 'released' and 'internal'")
    return cast(Audience, name)
