"""What tests share: the optional folder of real data and bad inputs beside the checkout."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def real_data():
    """Folder of real data sets for tests; skipped where it is absent."""
    if not (BESIDE / "data").is_dir():
        pytest.skip("the folder with real data is not beside this checkout")
    return BESIDE / "data"


@pytest.fixture(scope="session")
def bad_inputs():
    """Folder of bad inputs; skipped where it is absent."""
    if not (BESIDE / "badinputs").is_dir():
        pytest.skip("the folder with bad inputs is not beside this checkout")
    return BESIDE / "badinputs"
