"""The front end's files, and the one module that JupyterLab asks for."""

import re
from functools import cache
from importlib.resources import files

# Every part after those it needs.
PARTS = ("dom", "positions", "wire", "state", "text", "panel", "settings", "desk", "together",
         "reading", "app", "render")  # fmt: skip
IMPORT = re.compile(r"^import [^;]+;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=async|class|const|function)", re.MULTILINE)


@cache
def part(name: str) -> str:
    """Return one file of the front end, `render.js` or `style.css`."""
    return (files(__package__) / "js" / name).read_text("utf-8")


def joined() -> str:
    """Return all parts as one ES module whose default export has `render`.

    >>> "import " in joined()
    False
    """
    body = "\n".join(EXPORT.sub("", IMPORT.sub("", part(f"{name}.js"))) for name in PARTS)
    return f"{body}\nexport default {{ render }};\n"
