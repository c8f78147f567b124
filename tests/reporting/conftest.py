"""Each study's page is built once for the whole run."""

import pytest

from expertise.reporting import build_report


@pytest.fixture(scope="session", params=["vuurwerkramp", "beat-the-blues"])
def page(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    return build_report(f"studies/{request.param}", out=out)


@pytest.fixture(scope="session")
def internal_page(tmp_path_factory):
    out = tmp_path_factory.mktemp("internal")
    return build_report("studies/beat-the-blues", out=out, audience="internal", pdf=True)
