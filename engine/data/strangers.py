"""Strangers: agents named by answered interactions whom the agents table lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from engine.errors import InvalidTable
from engine.near import nearest

# Share of answered interactions above which a replay would be of another centre.
MOST_STRANGERS = 0.01
_MOST_SHOWN = 5
# How a name may have been spoilt on its way, by what undoes it; the first that finds an agent is told.
_SPOILT = (
    ("capital letters differ", lambda name: name.strip().casefold()),
    ("spaces differ", lambda name: "".join(name.split()).casefold()),
    ("leading zeros differ", lambda name: "".join(name.split()).casefold().lstrip("0")),
    ("a number with decimals", lambda name: "".join(name.split()).casefold().removesuffix(".0").lstrip("0")),
)


@dataclass
class Strangers:
    """Answered interactions by who is named, batch by batch."""

    n_answered: int = field(init=False, default=0)
    _named: dict[str, int] = field(init=False, default_factory=dict)
    # Named by interactions that nobody answered, for instance because an alert was missed.
    _otherwise: set[str] = field(init=False, default_factory=set)

    def add(self, interactions: pl.DataFrame) -> None:
        """Count some rows; where no outcome is recorded, an agent says that it was answered.

        Parameters
        ----------
        interactions : polars.DataFrame
            Rows of the table; without a column of outcomes none is recorded.
        """
        if "agent_id" not in interactions.columns:
            return
        outcome = pl.col("outcome") if "outcome" in interactions.columns else pl.lit("unknown")
        named = pl.col("agent_id").is_not_null()
        answered = (outcome == "answered") | (outcome.fill_null("unknown").eq("unknown") & named)
        rows = interactions.lazy().select("agent_id", is_answered=answered.fill_null(False))
        counts = rows.group_by("agent_id").agg(n=pl.len(), n_answered=pl.col("is_answered").sum()).collect()
        for name, n, n_answered in counts.iter_rows():
            self.n_answered += n_answered
            if name is None:
                continue
            if n_answered:
                self._named[name] = self._named.get(name, 0) + n_answered
            if n_answered < n:
                self._otherwise.add(name)

    def said(self, agents: pl.DataFrame) -> Iterator[str]:
        """What there is to say of agents who are not known.

        Parameters
        ----------
        agents : polars.DataFrame
            The agents table.

        Yields
        ------
        str
            Nothing where all are known.

        Raises
        ------
        InvalidTable
            If more than 1 % of the answered interactions are theirs.

        Examples
        --------
        >>> seen = Strangers()
        >>> seen.add(pl.DataFrame({"agent_id": ["7"], "outcome": ["answered"]}))
        >>> try:
        ...     list(seen.said(pl.DataFrame({"agent_id": ["007"], "agent_name": ["Ann"]})))
        ... except InvalidTable as error:
        ...     print("'7' (leading zeros differ: '007')" in str(error))
        True
        """
        known = set(agents["agent_id"])
        strange = {name: n for name, n in self._named.items() if name not in known}
        n_strange = sum(strange.values())
        if n_strange > MOST_STRANGERS * self.n_answered:
            raise InvalidTable(self._refusal(strange, n_strange, agents))
        unknown = sorted({*strange, *self._otherwise} - known)
        if unknown:
            yield (
                f"interactions name agents who are not in agents and take no part in choices: {len(unknown):,}, first "
                f"{unknown[0]}; {n_strange:,} of {self.n_answered:,} answered interactions are theirs"
            )

    def _refusal(self, strange: dict[str, int], n_strange: int, agents: pl.DataFrame) -> str:
        often = sorted(strange, key=lambda name: (-strange[name], name))
        shown = ", ".join(f"{name!r}{_hint(name, agents)}" for name in often[:_MOST_SHOWN])
        more = f" and {len(often) - _MOST_SHOWN:,} more" if len(often) > _MOST_SHOWN else ""
        share = (
            f"{n_strange:,} of {self.n_answered:,} answered interactions ({100 * n_strange / self.n_answered:.1f} %)"
        )
        return (
            f"interactions, column agent_id: {share} name agents who are not in the table agents: {shown}{more}; write "
            "agent_id as the table agents has it, or add these agents to it"
        )


def _hint(name: str, agents: pl.DataFrame) -> str:
    """Whom a name may mean."""
    ids = agents["agent_id"].to_list()
    for what, plain in _SPOILT:
        meant = [known for known in ids if plain(known) == plain(name)]
        if meant:
            return f" ({what}: {meant[0]!r})"
    if "agent_name" in agents.columns:
        for known, called in agents.select("agent_id", "agent_name").iter_rows():
            if called is not None and called.strip().casefold() == name.strip().casefold():
                return f" (the agent_name of {known!r})"
    near = nearest(name, ids)
    return f" (did you mean {near!r}?)" if near else ""
