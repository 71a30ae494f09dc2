"""What factors of agents did to handling times in a replay: they count relative to the agent on record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.data.served import Served
from engine.estimates.completed import Interactions
from engine.replay.prepare import Recorded
from engine.results import about


@dataclass(frozen=True)
class FactorsUsed:
    """Handling times of a replay beside those with the agents on record; levers by agent count too."""

    answered: int = about("Answered by a known agent in the first draw. [count]")
    changed: float | None = about("Share of them with another handling time than recorded. [0-1]")
    ratio: float | None = about("Their handling time over the recorded one, both summed.")

    @classmethod
    def of(cls, given: Interactions, served: Served) -> FactorsUsed | None:
        """Of one replay; None where recorded times hold for everybody.

        Parameters
        ----------
        given : Interactions
            As they were played.
        served : Served
            Their outcomes.

        Returns
        -------
        FactorsUsed or None
            Shares are None where nobody was answered.
        """
        if given.factor is None:
            return None
        rows = np.flatnonzero(served.answered)
        # Whole microseconds, as the loop counts them: a ratio of exactly 1 leaves a time as it is.
        now_us = np.rint(given.base_us[rows] * given.factor[given.handling[rows], served.agent[rows]])
        was_us = given.handle_us[rows]
        changed = float((now_us != was_us).mean()) if rows.size else None
        return cls(rows.size, changed, float(now_us.sum() / was_us.sum()) if was_us.any() else None)


def about_factors(recorded: Recorded, used: FactorsUsed | None) -> Iterator[str]:
    """What became of a table of factors, in words.

    Parameters
    ----------
    recorded : Recorded
        The data set, perhaps with given factors.
    used : FactorsUsed or None
        What a replay of it did with them.

    Yields
    ------
    str
        Nothing where no factors were given.
    """
    given = recorded.centre.handle_factors
    if not given.height:
        return
    if recorded.assumptions.handling != "agent":
        yield (
            f"the {given.height:,} factors of the table handle_factors change no handling time, as recorded times hold "
            "for every agent; --handling agent uses them"
        )
    elif used is not None and used.changed is not None:
        yield _did(recorded, used, used.changed)


def _did(recorded: Recorded, used: FactorsUsed, changed: float) -> str:
    factor = recorded.factors.factor
    counts = "a factor counts relative to that of the agent who had the call on record, 1 if nobody known had it"
    share = f"{100 * changed:.1f} % of the {used.answered:,} answered"
    if (factor == factor[:, :1]).all():
        values = np.unique(factor)
        shown = f"{values[0]:g}" if values.size == 1 else f"{values[0]:g} to {values[-1]:g} by skills"
        lever = f" (--handle {values[0]:g})" if values.size == 1 else ""
        did = "so nothing changes" if not changed else f"so handling changes for {share} only"
        return (
            f"all agents have the same factors ({shown}), and {counts}, {did}; to make everybody slower or faster use "
            f"the lever handle{lever}"
        )
    if used.ratio is None:
        return f"factors change nothing, as nothing on record took any time; {counts}"
    more = 100 * (used.ratio - 1)
    total = f"{abs(more):.1f} % {'longer' if more > 0 else 'shorter'} than" if abs(more) >= 0.05 else "as long as"
    return (
        f"factors change the handling time of {share}; all together it is {total} with the agents on record; {counts}"
    )
