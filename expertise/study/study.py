"""A study that has been opened: its settings, its people, its outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import StudyError, listed, nearest
from expertise.figures import StoryAxes, figure_html
from expertise.mixed.fit import MixedFit, fit_mixed
from expertise.outcomes.change import Change
from expertise.outcomes.imputation import Tipping
from expertise.result import notes_html, table_html
from expertise.study.declared import dropout_sensitivity, individual_change
from expertise.study.flow import count_flow, count_presence, flow_in_words, plot_presence
from expertise.study.levels import Levels, estimate_levels
from expertise.study.load import model_data
from expertise.study.schema import Model, StudyFile
from expertise.study.triad_tables import TriadTables, triad_tables
from expertise.words import Note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """An opened study.

    Attributes
    ----------
    folder : Path
        Where it lies.
    settings : StudyFile
        What its study.toml says.
    people : DataFrame
        A row a participant: `participant`, role, triad, team, institution
        where the study has them, and the covariates.
    outcomes : DataFrame
        A row a planned answer: `participant perspective wave months
        instrument item variable value`; a missing answer has no value.
    files : DataFrame
        Data files with their sha256.
    notes : tuple of Note
        What the reader must know of the files.
    """

    folder: Path
    settings: StudyFile
    people: pd.DataFrame
    outcomes: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[Note, ...]

    @property
    def name(self) -> str:
        """Name of the study: that of its folder."""
        return self.folder.name

    @property
    def lang(self) -> str:
        """Language of the study's report."""
        return self.settings.language

    def flow(self, by: str | None = None) -> pd.DataFrame:
        """Count eligible, measured and measured twice, per perspective.

        Parameters
        ----------
        by : str, optional
            A column of `people` to split by, for example the arm.

        Returns
        -------
        DataFrame
            Columns `perspective eligible measured measured_twice`.
        """
        return count_flow(self.settings, self.people, self.outcomes, self._column(by))

    def presence(self, by: str | None = None) -> pd.DataFrame:
        """Count who answered at each wave, per perspective: `n_people` of `eligible`."""
        return count_presence(self.settings, self.people, self.outcomes, self._column(by))

    def data(self, model: str = "primary") -> pd.DataFrame:
        """Return the rows a model is fitted to, a row a participant, perspective and wave.

        Each measured variable is a column, as are `months` and the
        covariates of `people`. Perspective, wave and category covariates keep
        the order of study.toml, so that its first level is the reference.
        Perspectives that were never asked the outcome are not among the rows.
        """
        return model_data(self.people, self.outcomes, self.model(model).outcome)

    def model(self, name: str = "primary") -> Model:
        """Return a model that study.toml names."""
        if name not in self.settings.models:
            known = self.settings.models
            raise StudyError(
                f"study {self.name!r} has no model {name!r}{nearest(name, known)}; "
                f"study.toml has {listed(known) or 'none'}"
            )
        return self.settings.models[name]

    def fit(self, model: str = "primary", **changes: Any) -> MixedFit:
        """Fit a model that study.toml names.

        Parameters
        ----------
        model : str
            Its name in study.toml.
        **changes
            Arguments of `fit_mixed` that differ for this time.

        Returns
        -------
        MixedFit
        """
        chosen = self.model(model)
        options: dict[str, Any] = {
            "family": chosen.family, "link": chosen.link, "reml": chosen.reml, "df": chosen.df,
            "residual": chosen.residual, "dispersion": chosen.dispersion,
        }  # fmt: skip
        formula = changes.pop("formula", chosen.formula)
        return fit_mixed(formula, self.data(model), **(options | changes))

    def levels(self, variable: str | None = None, by: str | None = None, **options: Any) -> Levels:
        """Estimate the average per perspective and wave, with everyone who answered.

        See `estimate_levels`. Without a variable: the primary model's outcome.
        """
        name = variable or self._main_variable()
        return estimate_levels(
            self.data_for(name), name, study=self.settings, by=self._column(by), **options
        )

    def change(self) -> Mapping[str, Change]:
        """Return who changed by more than chance under the declared rule, per perspective."""
        return individual_change(self.settings, self.outcomes)

    def dropout(self) -> Tipping:
        """Return how the answer changes when those who left differ from what is filled in."""
        return dropout_sensitivity(self.settings, self.people, self.outcomes)

    def triads(self) -> TriadTables:
        """Return the answers of all perspectives side by side, as [triads] declares them."""
        return triad_tables(self.settings, self.people, self.outcomes, self.lang)

    def data_for(self, variable: str) -> pd.DataFrame:
        """Return the answers on one variable, with the covariates of `people`."""
        known = list(self.outcomes["variable"].unique())
        if variable not in known:
            raise StudyError(
                f"study {self.name!r} does not measure {variable!r}{nearest(variable, known)}; "
                f"it measures {listed(known)}"
            )
        out = self.outcomes[self.outcomes["variable"] == variable].dropna(subset="value")
        out = out.drop(columns=["instrument", "item", "variable"]).rename(
            columns={"value": variable}
        )
        people = self.people.drop(columns=["perspective"], errors="ignore")
        return out.merge(people, on="participant", how="left", validate="many_to_one")

    def plot(self) -> StoryAxes:
        """Draw how many people of each perspective answered at each wave."""
        return plot_presence(self.settings, self.presence(), self.lang)

    def _flow_words(self) -> pd.DataFrame:
        return flow_in_words(self.settings, self.flow(), self.lang)

    def _main_variable(self) -> str:
        primary = [model.outcome for model in self.settings.models.values() if model.primary]
        return (primary or list(self.outcomes["variable"].unique()))[0]

    def _column(self, by: str | None) -> str | None:
        if by is not None and by not in self.people:
            raise StudyError(
                f"people have no column {by!r}{nearest(by, self.people)}; "
                f"they have {listed(self.people.columns)}"
            )
        return by

    def __repr__(self) -> str:
        rows = [f"{name}: {value}" for name, value in self._facts()]
        flow = [say("study.flow", self.lang) + ":", self._flow_words().to_string(index=False)]
        notes = [f"- {note.text(self.lang)}" for note in self.notes]
        return "\n".join([self.settings.title, *rows, *flow, *notes])

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in self._facts()
        )
        return (
            f"<p><strong>{escape(self.settings.title)}</strong></p><dl>{facts}</dl>"
            + table_html(self._flow_words(), say("study.flow", self.lang))
            + figure_html(self.plot())
            + notes_html(self.notes, self.lang)
        )

    def _facts(self) -> list[tuple[str, str]]:
        it, lang = self.settings, self.lang
        named = {
            "question": it.question,
            "asked_by": it.asked_by,
            "perspectives": ", ".join(role.plural(lang) for role in it.perspectives.values()),
            "waves": ", ".join(wave.label(lang) for wave in it.waves),
            "instruments": ", ".join(what.label(lang) for what in it.instruments.values()),
        }
        return [(say(f"study.{key}", lang), value) for key, value in named.items() if value]
