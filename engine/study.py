"""Studies: several scenarios to be compared on the same customers, as a scenario file holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from engine.data.arrays import Arrays
from engine.data.wall_time import day_of
from engine.errors import InvalidScenario
from engine.estimates.assumptions import Assumptions
from engine.reports.columns import today_of
from engine.setting import as_name, shown
from engine.spec import Scenario, scenario_of

# Column that a study's scenarios are compared with, and the keys of its file.
BASELINE = "baseline"
STUDY_KEYS = ("snapshot", "from", "to", "replications", "baseline", "scenario")
# Columns that every comparison has beside its scenarios.
TAKEN = ("recorded", "today")
MOST_NAME_CHARS = 300
# Settings that a study decides by itself.
FIXED = ("mode", "handling")


@dataclass(frozen=True)
class Comparing:
    """What a study compares: the content of a scenario file.

    Parameters
    ----------
    snapshot : str, optional
        Name or folder.
    first, last : date, optional
        Days, both included; None for all.
    baseline : dict
        Settings that hold for all; without a method today's rule.
    entries : tuple of (str, dict)
        Names, and what each scenario changes.
    name : str
        Of the baseline.
    """

    snapshot: str | None
    first: date | None
    last: date | None
    baseline: Mapping[str, Any]
    entries: tuple[tuple[str, Mapping[str, Any]], ...]
    name: str = BASELINE

    @property
    def names(self) -> list[str]:
        """Of the scenarios, the baseline first."""
        return [self.name, *(name for name, _ in self.entries)]

    def scenarios(self, today: str, assumptions: Assumptions | None = None) -> list[Scenario]:
        """The baseline, then each scenario on top of it.

        Parameters
        ----------
        today : str
            Method of the baseline where it names none: the rule in force.
        assumptions : Assumptions, optional
            What holds where the study says nothing, as from a calibration.
        """
        start = Scenario(mode="replay", method=today, assumptions=assumptions or Assumptions())
        base = _named(self.name, self.baseline, start)
        # Levers of the baseline move what differences refer to, not the scenarios.
        bare = replace(base, levers=())
        return [base, *(_named(name, entry, bare) for name, entry in self.entries)]

    def scenarios_on(self, arrays: Arrays, assumptions: Assumptions | None = None) -> list[Scenario]:
        """The same where the data tells the rule in force.

        Parameters
        ----------
        arrays : Arrays
            Queues with their settings.
        assumptions : Assumptions, optional
            What holds where the study says nothing, as from a calibration.
        """
        return self.scenarios(today_of(Scenario(mode="replay"), arrays).method, assumptions)


def comparing(content: Mapping[str, Any]) -> Comparing:
    """What a study compares, from the content of its file.

    Parameters
    ----------
    content : mapping
        snapshot, from, to, replications, baseline (a table of settings, and a name if it has one of its own), scenario
        (a list of such tables, each with a name).

    Returns
    -------
    Comparing
        With every setting checked but those that only the data can tell.

    Raises
    ------
    InvalidScenario
        If a key is unknown, a name is missing or given twice, or a setting is not allowed.

    Examples
    --------
    >>> comparing({"scenario": [{"name": "ours", "method": "weighted"}]}).names
    ['baseline', 'ours']
    """
    if not isinstance(content, Mapping):
        raise InvalidScenario(f"a study is {shown(content)}; write a table with {', '.join(STUDY_KEYS)}")
    _check_keys(content)
    rows, baseline = content.get("scenario", []), content.get("baseline", {})
    if not (isinstance(rows, list | tuple) and rows and all(isinstance(row, Mapping) for row in rows)):
        raise InvalidScenario("a study needs scenarios; write [[scenario]] with a name and settings, once for each")
    if not isinstance(baseline, Mapping):
        raise InvalidScenario("baseline is not a table of settings; write [baseline] with settings under it")
    snapshot = content.get("snapshot")
    if not (snapshot is None or isinstance(snapshot, str)):
        raise InvalidScenario(f"snapshot is {shown(snapshot)}; write the name of a snapshot, or its folder, in quotes")
    name, held = _entry("the baseline", {"name": BASELINE} | dict(baseline))
    if "replications" in content:
        if "replications" in held:
            raise InvalidScenario("replications stands beside [baseline] and under it; keep one of them")
        held = {"replications": content["replications"], **held}
    entries = tuple(_entry(f"scenario {place}", row) for place, row in enumerate(rows, start=1))
    found = Comparing(
        snapshot, day_of("from", content.get("from")), day_of("to", content.get("to")), held, entries, name
    )
    counts = Counter([*TAKEN, *found.names])
    twice = next((name for name in found.names if counts[name] > 1), None)
    if twice is not None:
        raise InvalidScenario(f"the name {shown(twice)} is taken; give every scenario a name of its own")
    found.scenarios("genesys")
    return found


def _check_keys(content: Mapping[str, Any]) -> None:
    unknown = [key for key in content if not (isinstance(key, str) and key in STUDY_KEYS)]
    if unknown:
        near = get_close_matches(str(unknown[0])[:80], STUDY_KEYS, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"use {', '.join(STUDY_KEYS)}; settings stand under [baseline]"
        raise InvalidScenario(f"{as_name(unknown[0])} is not a key of a study; {remedy}")


def _entry(place: str, row: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The name of a scenario, and what it says."""
    name = row.get("name")
    if name is None or (isinstance(name, str) and not name.strip()):
        raise InvalidScenario(f'{place} has no name; give it one, for example name = "more language"')
    if not (isinstance(name, str) and len(name) <= MOST_NAME_CHARS and name.isprintable()):
        raise InvalidScenario(
            f"{place} has the name {shown(name)}; use a text of at most {MOST_NAME_CHARS} characters without control "
            "characters"
        )
    held = dict(row)
    del held["name"]
    return name, held


def _named(name: str, entry: Mapping[str, Any], base: Scenario) -> Scenario:
    """A scenario of a study; what it refuses is told with its name."""
    taken = [key for key in FIXED if key in entry]
    if taken:
        raise InvalidScenario(
            f"scenario {name!r}: {taken[0]} is not for a study to say: it replays every scenario twice, with recorded "
            "handling times and with times that change with the agent; leave it out"
        )
    try:
        return scenario_of(entry, base)
    except InvalidScenario as error:
        raise InvalidScenario(f"scenario {name!r}: {error}") from error
