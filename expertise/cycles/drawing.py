"""Three pictures of action cycles: when, who was there, who recognised it."""

import textwrap
from collections.abc import Mapping

import pandas as pd

from expertise.figures import Look, StoryAxes, draw, end_labels
from expertise.words import say

ANSWERS = ("yes", "partly", "no", "rather_not")
STRENGTH = (1.0, 0.6, 0.3, 0.12)  # of the role's colour, by answer


def plot_timeline(table: pd.DataFrame, lang: str = "nl", source: str = "") -> StoryAxes:
    """Draw a line a cycle, from its beginning to its end, team by team."""
    teams = list(dict.fromkeys(table["team"]))
    first = table.groupby("team")["start"].min()
    last_end = float(table["end"].fillna(table["start"]).max())

    def paint(axes: StoryAxes, look: Look) -> None:
        for row in table.itertuples():
            y = len(teams) - 1 - teams.index(row.team)
            ongoing = pd.isna(row.end)
            end = last_end if ongoing else row.end
            axes.plot([row.start, end], [y, y], color=look.color(1), lw=5, solid_capstyle="butt",
                      linestyle="-" if not ongoing else ":")  # fmt: skip
            axes.plot(row.start, y, color=look.color(1), marker="o")
        axes.set_yticks(range(len(teams)), teams[::-1], fontsize=9)
        axes.set_xlim(-0.5, last_end + 0.5)
        axes.set_xlabel(say("result.months", lang), loc="left", fontsize=10)

    words = {"n": len(table), "teams": len(teams)}
    moments = first.nunique()
    return draw(
        paint,
        title=say("cycles.timeline_title", lang, moments=moments, **words),
        subtitle=f"{say('cycles.timeline_sub', lang, **words)} {source}".strip(),
        alt=say(
            "cycles.timeline_alt", lang, first=f"{first.min():g}", last=f"{first.max():g}", **words
        ),
        table=table[["team", "id", "start", "end", "act"]],
        lang=lang,
        wide=(6.4, 1.8 + 0.26 * len(teams)),
        phone=(4.0, 2.4 + 0.28 * len(teams)),
    )


def plot_presence(
    presence: pd.DataFrame, roles: Mapping[str, str], lang: str = "nl", source: str = ""
) -> StoryAxes:
    """Draw the average number of people of each role in a meeting, by the month it began."""
    means = presence.groupby(["role", "start"])["n_people"].mean().unstack("role")
    means = means[[role for role in roles if role in means]]
    missing = presence[presence["n_people"] == 0]["id"].nunique()

    def paint(axes: StoryAxes, look: Look) -> None:
        for slot, role in enumerate(means, 1):
            axes.plot(means.index, means[role], **look.style(slot))
        axes.set_ylim(0, None)
        last = means.index[-1]
        end_labels(
            axes,
            [
                (last, means[role].iloc[-1], roles[role], look.color(slot))
                for slot, role in enumerate(means, 1)
            ],
        )
        axes.set_xticks(list(means.index))
        axes.set_xlabel(say("result.months", lang), loc="left", fontsize=10)

    words = {"missing": missing, "n": presence["id"].nunique()}
    kind = "some" if missing else "none"
    return draw(
        paint,
        title=say(f"cycles.presence_{kind}", lang, **words),
        subtitle=f"{say('cycles.presence_sub', lang, **words)} {source}".strip(),
        alt=say(f"cycles.presence_{kind}", lang, **words),
        table=means.rename(columns=roles).reset_index(),
        lang=lang,
    )


def plot_member_check(
    checks: pd.DataFrame,
    themes: Mapping[str, str],
    roles: Mapping[str, str],
    lang: str = "nl",
    minimum: int = 10,
    source: str = "",
) -> StoryAxes:
    """Draw the share of each answer, a bar a theme and role.

    Bars of fewer than `minimum` people are left out, and a role is not split
    in its answers in the table behind when fewer than `minimum` answered.
    """
    enough = checks[checks["asked"] >= minimum]
    bars = [
        (theme, role)
        for theme in themes
        for role in roles
        if ((enough["theme"] == theme) & (enough["role"] == role)).any()
    ]
    shares = {
        bar: enough[(enough["theme"] == bar[0]) & (enough["role"] == bar[1])]
        .set_index("answer")["n_people"].div(enough[(enough["theme"] == bar[0])
        & (enough["role"] == bar[1])]["asked"].iloc[0])
        for bar in bars
    }  # fmt: skip
    known = {bar: share["yes"] + share["partly"] for bar, share in shares.items()}

    def paint(axes: StoryAxes, look: Look) -> None:
        for place, (theme, role) in enumerate(bars):
            y, left = len(bars) - 1 - place, 0.0
            color = look.color(list(roles).index(role) + 1)
            for answer, strength in zip(ANSWERS, STRENGTH, strict=True):
                width = 100 * float(shares[theme, role][answer])
                axes.barh(y, width, left=left, height=0.7, color=color, alpha=strength,
                          edgecolor=look.page)  # fmt: skip
                left += width
        names = [
            textwrap.fill(f"{themes[theme]}: {roles[role]}", 18 if look.phone else 40)
            for theme, role in bars
        ]
        axes.set_yticks(range(len(bars)), names[::-1], fontsize=9)
        axes.set_xlim(0, 100)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(say("cycles.check_x", lang), loc="left", fontsize=10)

    low, high = (100 * f(known.values(), default=0.0) for f in (min, max))
    words = {"low": f"{low:.0f}", "high": f"{high:.0f}"}
    behind = pd.DataFrame(
        [
            {"theme": themes[theme], "role": roles[role]}
            | {say(f"cycles.{a}", lang): f"{100 * shares[theme, role][a]:.0f}%" for a in ANSWERS}
            for theme, role in bars
        ]
    )
    return draw(
        paint,
        title=say("cycles.check_title", lang, **words),
        subtitle=f"{say('cycles.check_sub', lang, minimum=minimum)} {source}".strip(),
        alt=say("cycles.check_title", lang, **words),
        table=behind,
        lang=lang,
        wide=(6.4, 2.2 + 0.3 * len(bars)),
        phone=(4.0, 2.8 + 0.5 * len(bars)),
    )
