"""The printable page of a meeting, on the server and as a file from JupyterLab or a command."""

from importlib.resources import files
from pathlib import Path

from expertise.cocoding.circle import Circle
from expertise.cocoding.paper import print_page
from expertise.cocoding.web.app import Site
from expertise.errors import CodingError
from expertise.files.safe import write_atomically


def write_minutes(circle: Circle, coder: str, path: str | Path) -> Path:
    """Write what was decided together as one page, or as a PDF by the name of the file.

    Parameters
    ----------
    coder : str
        Id of who asks: they must have joined, and only texts that they may read are in it.
    path : str or Path
        .html or .pdf. It holds passages: keep it as safe as the narratives.

    Raises
    ------
    CodingError
        When they have not joined the round together, or the name ends otherwise.
    """
    path = Path(path)
    if path.suffix.casefold() not in (".html", ".pdf"):
        raise CodingError(
            f"{path.name}: the minutes are written as .html or .pdf; name one of them"
        )
    found = circle.handle(coder, {"kind": "passages"})
    if found["error"]:
        raise CodingError(found["error"])
    css = (files("expertise.cocoding") / "js" / "style.css").read_text("utf-8")
    page = Site(circle, ("http://localhost",)).minutes_page(found["passages"], css=css)
    html = write_atomically(path.with_suffix(".html"), bytes(page.body).decode())
    return html if path.suffix.casefold() == ".html" else print_page(html, path)
