"""How much memory a run needs, from the size of what it is given, before anything of it is read.

Every number here was measured (docs/performance.md tells how) and stands a little above what was found, so that a
run which is let in also ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from engine.data.arrays import Arrays, Counted
from engine.data.centre import Centre
from engine.data.encode import named
from engine.data.tables import Tables
from engine.methods import METHODS
from engine.methods.settings import rings_of, rules_of
from engine.methods.today import in_force
from engine.reports.columns import is_one_rule, today_of
from engine.spec import Scenario
from engine.typing import FloatArray

MIB = 1 << 20
# Above what was measured: allocators hand out memory in steps, and no two runs place it alike.
MARGIN = 1.15
ALWAYS = 8 * MIB
# A comparison plays every scenario with recorded handling times and with those of agents; what stays of one side lies
# beside the other. [bytes an interaction]
BOTH_SIDES, BY_AGENT = 100, 60
# More rules on the same customers, more draws, weights in motion. [bytes an interaction]
RULE, DRAWS, ROLLING = 95, 230, 110
# A row of the ladder and agent where ranks are scores, where they are not, and more while weights move. [byte]
SCORED_CELL, CELL, MOVING_CELL = 44, 26, 8
# A day and agent: sums of a draw and rule, and satisfaction as it was known. [byte]
DAY_SUMS, DAY_SATISFACTION = 24, 64
# A time to plan anew, and each queue then. [byte]
PLAN, PLAN_QUEUE = 300, 60
# An agent by itself, for each queue, and for each skill or language of the centre. [byte]
AGENT, MEMBER, LEVEL = 500, 2, 8
# What is recorded of an interaction. [byte]
RECORDED = 100
# A half hour, or call type, and draw of a calibration. [byte]
CELL_DRAWN = 100
HALF_HOURS = 48
# An interaction of the day that scores go through, and a requirement and agent of the scores. [byte]
DECIDED, SCORE = 120, 12
DAY_MIN, DAY_S = 1_440, 86_400


@dataclass(frozen=True)
class _Phase:
    """What a replay holds at one time. [byte]"""

    interaction: int
    block: int  # Of staffing, or of work elsewhere
    cell: int = 0  # A row of the ladder and agent
    interval: int = 0  # Of the report

    def of(self, size: Size) -> int:
        """Of a replay of some size."""
        return (
            self.interaction * size.n + self.block * size.blocks + self.cell * size.cells
            + self.interval * size.intervals
        )  # fmt: skip


# Before the ladder is there, while the loop runs, while its outcomes are measured, and while the report is written;
# a calibration measures less. An interval in
# which nobody arrives is a row of the report as well, as an object and as text, where somebody waits through it.
PREPARED, PLAYED = _Phase(200, 100), _Phase(350, 600, 22)
MEASURED, WRITTEN = _Phase(450, 1_100, 4, 400), _Phase(220, 300, 4, 1_600)
CALIBRATED = _Phase(430, 1_100, 4)


@dataclass(frozen=True)
class Need:
    """What a run needs.

    Parameters
    ----------
    bytes : int
        Most memory at one time, beside the data set as it is opened. [byte]
    what : str
        What needs it, in words that go before "needs".
    remedy : str
        What would need less.
    intervals : int
        Most rows of the report that stand for an interval of time. [count]
    plans : int
        Times that weights are moved, in all replications and runs. [count]
    """

    bytes: int
    what: str
    remedy: str
    intervals: int = 0
    plans: int = 0


def of_run(scenario: Scenario, arrays: Arrays, *, kept: int = 0) -> Need:
    """What one scenario over a data set needs.

    Parameters
    ----------
    scenario : Scenario
        A replay, or scores.
    arrays : Arrays
        The data set; nothing of it is read.
    kept : int
        What stays of each outcome besides. [byte]

    Returns
    -------
    Need
        Above what it takes, seldom by more than half.
    """
    if scenario.mode == "replay":
        size = Size.of([scenario], arrays)
        draws = f" in {scenario.replications:,} replications" if scenario.replications > 1 else ""
        remedy = _fewer([scenario], "or use mode score, which needs little")
        needed = _whole(_replayed(size, scenario) + kept * size.n)
        what = f"a replay of {size.n:,} interactions{draws}"
        return Need(needed, what, remedy, size.intervals, _plans(size, scenario) * scenario.replications)
    centre, counted = arrays.centre, arrays.counted
    days = counted.span_days if scenario.csat == "asof" else 1
    rows = kept * counted.n + DECIDED * int(counted.rows.max(initial=0)) + DAY_SATISFACTION * days * centre.n_agents
    needed = rows + SCORE * centre.n_requirements * centre.n_agents
    return Need(_whole(needed), f"scoring {counted.n:,} interactions", "choose fewer days")


def of_comparison(scenarios: Sequence[Scenario], arrays: Arrays) -> Need:
    """What scenarios side by side need.

    Parameters
    ----------
    scenarios : sequence of Scenario
        In mode replay.
    arrays : Arrays
        The data set; nothing of it is read.

    Returns
    -------
    Need
        Of the largest of them, with what stays of the others.
    """
    size = Size.of(scenarios, arrays)
    needed = _whole(max(_replayed(size, each) for each in scenarios) + (BOTH_SIDES + BY_AGENT) * size.n)
    draws = scenarios[0].replications
    what = f"a comparison of {len(scenarios)} scenarios over {size.n:,} interactions"
    what += f" in {draws:,} replications" if draws > 1 else ""
    # Each is played with recorded handling times and with those of agents.
    plans = 2 * draws * sum(_plans(size, each) for each in scenarios)
    return Need(needed, what, _fewer(scenarios, "or compare fewer scenarios"), plans=plans)


def of_opening(tables: Tables, asked: pl.DataFrame) -> Need:
    """What opening a data set makes of tables: few rows can name many queues, skills and agents.

    Parameters
    ----------
    tables : Tables
        All but interactions.
    asked : polars.DataFrame
        queue_id, skills and language of interactions or call types.

    Returns
    -------
    Need
        Of the relations of agents with queues, skills and languages; next to nothing for a centre of this world.
    """
    agents = tables.agents
    queues = pl.concat([tables.queues["queue_id"], asked["queue_id"]]).n_unique()
    skills = len(named(agents["skills"], asked["skills"].explode()))
    languages = len(named(agents["languages"], asked["language"]))
    needed = agents.height * (AGENT + MEMBER * queues + LEVEL * (skills + languages))
    what = f"opening {agents.height:,} agents with {queues:,} queues, {skills:,} skills and {languages:,} languages"
    return Need(_whole(needed), what, "take those that interactions or agents do not use out of the data")


def of_reading(arrays: Arrays) -> Need:
    """What reading all that is recorded needs.

    Parameters
    ----------
    arrays : Arrays
        The data set; nothing of it is read.

    Returns
    -------
    Need
        Less than a replay of the same.
    """
    n = arrays.counted.n
    return Need(_whole(RECORDED * n), f"reading {n:,} interactions", "make a snapshot of fewer days")


def of_calibration(scenario: Scenario, arrays: Arrays, days: tuple[date, date], draws: int) -> Need:
    """What a calibration needs.

    Parameters
    ----------
    scenario : Scenario
        The rule in force.
    arrays : Arrays
        The data set; nothing of it is read.
    days : tuple of date
        The first and the last that are fitted or tested.
    draws : int
        Replays of each span.

    Returns
    -------
    Need
        Of a replay, with the sums of all draws.
    """
    size = Size.of([scenario], arrays.days(*days))
    drawn = CELL_DRAWN * draws * (HALF_HOURS * size.days + arrays.centre.call_types.height)
    # All that is recorded is read once, and days are taken from it.
    others = RECORDED * (arrays.counted.n - size.n)
    needed = _whole(max(_played(size, scenario), CALIBRATED.of(size)) + drawn + others)
    return Need(needed, f"a calibration on {size.n:,} interactions", "choose fewer days to fit and to test")


def of_explanation(scenario: Scenario, arrays: Arrays) -> Need:
    """What explaining one choice needs.

    Parameters
    ----------
    scenario : Scenario
        A replay, which is played whole, or scores.
    arrays : Arrays
        The data set; nothing of it is read.

    Returns
    -------
    Need
        Of the run, but for measures and report.
    """
    if scenario.mode != "replay":
        return of_run(scenario, arrays)
    size = Size.of([scenario], arrays)
    return Need(_whole(_played(size, scenario)), f"explaining a replay of {size.n:,} interactions", "choose fewer days")


@dataclass(frozen=True)
class Size:
    """What the memory of a replay depends on.

    Parameters
    ----------
    n : int
        Interactions.
    days : int
        From the first to the last.
    agents : int
        Of the centre.
    blocks : int
        Of staffing and of work elsewhere.
    cells : int
        Rows of the largest ladder times agents.
    intervals : int
        Of the report.
    queues : int
        Of the centre.
    rules : int
        That are played, today's among them.
    """

    n: int
    days: int
    agents: int
    blocks: int
    cells: int
    intervals: int
    queues: int
    rules: int = 2

    @classmethod
    def of(cls, scenarios: Sequence[Scenario], arrays: Arrays) -> Size:
        """From what is known of a data set before it is read."""
        centre, counted = arrays.centre, arrays.counted
        days, blocks = counted.span_days, (centre.staffing, centre.busy, centre.held)
        has_today = any(is_one_rule(each, today_of(each, arrays)) for each in scenarios)
        return cls(
            n=counted.n, days=days, agents=centre.n_agents, blocks=sum(each.agent.size for each in blocks),
            cells=max(_ladder_rows(each, centre, counted) for each in scenarios) * centre.n_agents,
            intervals=days * DAY_MIN // scenarios[0].interval_min, queues=len(centre.queue_ids),
            rules=len(scenarios) + (not has_today),
        )  # fmt: skip


def _ladder_rows(scenario: Scenario, centre: Centre, counted: Counted) -> int:
    """Rows of the larger of two ladders: that of the scenario and that of the rule in force, which is its yardstick."""
    queue = centre.queue[centre.requirement]
    if not queue.size:
        return 0
    stages = max(float(_stages(name, centre)[queue].sum()) for name in (scenario.method, in_force(centre.queues)))
    # A call type is as many kinds as it has media, and no interaction is two.
    return int(min(stages * counted.n_media, stages / queue.size * counted.n))


def _stages(name: str, centre: Centre) -> FloatArray:
    """Most stages of waiting under a method, by queue."""
    stages = np.ones(len(centre.queue_ids))
    if "rings" in METHODS[name].reads:
        stages = stages * [1 + len(rings) for rings in rings_of(centre)]
    if "preferred" in METHODS[name].reads:
        stages = stages * [1 + len(rules) for rules in rules_of(centre)]
    return stages


def _replayed(size: Size, scenario: Scenario) -> int:
    """The largest phase of a replay, from its first event to its report. [byte]"""
    # Beside the rules there are the record, and perhaps the same without a goal in motion.
    columns = size.rules + 1 + scenario.is_rolling
    kept = DAY_SUMS * size.days * size.agents * scenario.replications * columns
    more = RULE * (size.rules - 1) + DRAWS * (scenario.replications > 1) + ROLLING * scenario.is_rolling
    more += BY_AGENT * (scenario.assumptions.handling == "agent")
    return kept + more * size.n + max(_played(size, scenario), MEASURED.of(size), WRITTEN.of(size))


def _played(size: Size, scenario: Scenario) -> int:
    """The larger phase of a replay up to its last event. [byte]"""
    cell = CELL if METHODS[scenario.method].planner is None else SCORED_CELL
    prepared = PREPARED.of(size) + (cell + MOVING_CELL * scenario.is_rolling) * size.cells
    moving = _plans(size, scenario) * (PLAN + PLAN_QUEUE * size.queues)
    return max(prepared, PLAYED.of(size)) + moving + DAY_SATISFACTION * size.days * size.agents


def _plans(size: Size, scenario: Scenario) -> int:
    return int(size.days * DAY_S / scenario.replan_s) if scenario.is_rolling else 0


def _whole(needed: float) -> int:
    return int(MARGIN * needed) + ALWAYS


def _fewer(scenarios: Sequence[Scenario], otherwise: str) -> str:
    draws = " or replications" if any(scenario.replications > 1 for scenario in scenarios) else ""
    return f"choose fewer days{draws}, {otherwise}"
