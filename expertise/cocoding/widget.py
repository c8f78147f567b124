"""The co-coding page inside JupyterLab, on the same store as the server."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from expertise.cocoding.circle import open_circle
from expertise.cocoding.front import joined, part
from expertise.cocoding.minutes import write_minutes
from expertise.errors import ExpertiseError
from expertise.study import Study


class CodingWidget(anywidget.AnyWidget):
    """Code a study in a notebook; no text of a narrative enters the notebook file.

    Parameters
    ----------
    study : Study or path
    coder : str, optional
        Name of someone who codes; by default the one who leads the meeting.
    url : str or Path, optional
        The store; by default the one of `expertise code`.

    Raises
    ------
    StudyError
        Without [contact], corpus or codebook in study.toml.
    CodingError
        When there is no coder of that name, or more than one.

    Notes
    -----
    Texts travel by custom message, never as synced state, so that "save
    widget state" keeps none of their words.
    """

    _esm = joined()
    _css = part("style.css")
    lang = traitlets.Unicode().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    facilitator = traitlets.Bool().tag(sync=True)
    contact = traitlets.Dict().tag(sync=True)
    perspectives = traitlets.Dict().tag(sync=True)

    def __init__(
        self, study: Study | str | Path, coder: str | None = None, *, url: str | Path | None = None
    ) -> None:
        self.circle = open_circle(study, url)
        self.coder = self._who(coder)
        super().__init__(**self.circle.start(self.coder))
        self.on_msg(self._carry)

    def _who(self, name: str | None) -> str:
        if name is None:
            return self.circle.facilitator().coder.id
        return self.circle.named(name)

    def reveal(self, *, anyway: bool = False) -> None:
        """Open the round together, as who leads the meeting; see `Circle.reveal`."""
        self.circle.reveal(self.coder, anyway=anyway)

    def write_minutes(self, path: str | Path) -> Path:
        """Write the printable page of the meeting (.html or .pdf); see `write_minutes`."""
        return write_minutes(self.circle, self.coder, path)

    def _carry(self, _: Any, message: Any, __: Any) -> None:
        try:
            answer = self.circle.handle(self.coder, message)
        except ExpertiseError as fault:
            answer = {"n": 0, "acts": [], "error": str(fault)}
        self.send({"re": message.get("id") if isinstance(message, dict) else None,
                   "answer": answer})  # fmt: skip
