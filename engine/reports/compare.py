"""Rules compared on the same customers, under recorded and under agent-dependent handling times side by side.

How long a call takes with another agent than the recorded one is not known. So every comparison is made
twice: recorded times hold for everybody, or they change with the agent. Where the two disagree about the
sign of a difference, the answer is "not determined".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from engine.data.arrays import Arrays
from engine.data.provenance import Provenance
from engine.errors import InvalidScenario
from engine.estimates.assumptions import HANDLING
from engine.estimates.estimated import Estimates
from engine.measures.light import Light
from engine.measures.satisfaction import SatisfactionAgainst
from engine.methods import METHODS
from engine.reports.columns import Column, Study, is_one_rule, today_of
from engine.reports.factors import about_factors
from engine.reports.notes import about_history, about_idle, about_settings, about_sharing, about_truth
from engine.reports.replay import MEASURES, NOT_RECORDED, Difference, Differences, ReplayColumn
from engine.reports.replayed import TOO_FEW_DAYS, withheld
from engine.results import Result, about
from engine.spec import Scenario
from engine.typing import Map, Progress

UNDECIDED = "not determined"
NO_DIFFERENCE = "no clear difference"
SAME = "the same rule, so there is nothing to compare"
NOTHING_DIFFERS = "no measure differs at all"


@dataclass(frozen=True)
class RuleDifferences(Differences):
    """Of one rule, by measure."""

    rule: str = about("The rule.")
    against: str = about("The rule that it is compared with.")


@dataclass(frozen=True)
class Side:
    """All rules under one way of handling."""

    handling: str = about("recorded: times hold for every agent; agent: they change with the agent.")
    today: str | None = about("Name of the column of today's rule; null where it is not among these.")
    columns: list[ReplayColumn] = about("recorded, perhaps today, then the rules in the order given.")
    differences: list[RuleDifferences] = about("Of each rule that is not the first itself, less the first.")
    satisfaction: list[SatisfactionAgainst] = about("Of the same rules, beside the first.")
    estimates: Estimates = about("How handling, patience and staffing were filled in, and how much.")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What holds of a rule under both ways of handling, in a word per measure."""

    rule: str = about("The rule.")
    against: str = about("The rule that it is compared with.")
    withheld: str | None = about("Why there is no verdict.", optional=True)
    nothing: str | None = about("Why there is nothing to compare, where nothing differs from the first.", optional=True)
    service_level: str | None = about(
        "better, worse, no clear difference, not determined, undefined or not recorded.", optional=True
    )
    asa_s: str | None = about("The same of the mean wait of those answered.", optional=True)
    mean_wait_s: str | None = about("The same of the mean wait of all.", optional=True)
    abandonment: str | None = about("The same of abandonment.", optional=True)
    occupancy: str | None = about("more or less instead of better and worse.", optional=True)
    gini: str | None = about("The same of the Gini of interactions.", optional=True)
    about: str = about("The rule in words.")


# Written as it stands to `study.json`: a field renamed here is renamed in files that people keep.
@dataclass(frozen=True)
class Comparison(Result):
    """Rules side by side."""

    snapshot: Provenance = about("Name, hash, counts, repairs and assumptions of the data.")
    scenarios: list[Scenario] = about("All that is needed to run it again; the first is what others are compared with.")
    light: Light = about("Whether today's rule, replayed with recorded handling times, reproduces the record.")
    sides: list[Side] = about("Under each way of handling.")
    verdicts: list[Verdict] = about("Of each rule but the first: what is the same under both.")
    warnings: list[str] = about("What a reader must know.")


def compare(
    scenarios: Sequence[Scenario], arrays: Arrays, *, names: Sequence[str] | None = None, force: bool = False,
    progress: Progress | None = None, map_runs: Map = map,
) -> Comparison:  # fmt: skip
    """Replay several rules over the same customers.

    Parameters
    ----------
    scenarios : sequence of Scenario
        Two or more in mode replay, alike in everything but rule, weights and goal moves.
    arrays : Arrays
        The data set.
    names : sequence of str, optional
        Of the scenarios; by default those of their methods, numbered where one comes again.
    force : bool
        Give verdicts even where the replay does not reproduce the record.
    progress : callable, optional
        Called with label, replays done and replays in all.
    map_runs : callable
        Does runs that do not depend on one another, here those under each way of handling.

    Returns
    -------
    Comparison
        Of all rules with the first.

    Raises
    ------
    InvalidScenario
        If there are fewer than two, or they do not share assumptions and definitions.
    """
    _check(scenarios)
    called = list(names or numbered([scenario.method for scenario in scenarios]))
    # The two sides share nothing but the data, so they may run at once.
    sides = list(map_runs(partial(_side, scenarios, called, arrays, progress), HANDLING))
    records, (_, study, lit, notes) = [side for side, *_ in sides], sides[0]
    assert lit is not None
    why = _withheld(lit, force, study)
    verdicts = [
        _verdict(name, called[0], scenario, scenarios[0], records, why)
        for name, scenario in zip(called[1:], scenarios[1:], strict=True)
    ]
    # Several scenarios of one method say the same; once is enough.
    rules = [said for scenario in scenarios for said in about_settings(study.recorded, scenario)] + notes
    by_agent, by_agent_study, *_ = sides[HANDLING.index("agent")]
    used = next((column.factors for column in by_agent.columns if column.factors is not None), None)
    return Comparison(
        snapshot=arrays.snapshot, scenarios=list(scenarios), light=lit, sides=records, verdicts=verdicts,
        warnings=[
            *about_truth(study.recorded, lit), *dict.fromkeys(rules), *about_history(study.recorded),
            *about_factors(by_agent_study.recorded, used),
        ],
    )  # fmt: skip


def _check(scenarios: Sequence[Scenario]) -> None:
    if len(scenarios) < 2:
        raise InvalidScenario("compare: give two rules or more, for example genesys,weighted")
    # What differs here would differ for other reasons than the rule, and no difference could be laid at its door.
    shared = ("assumptions", "seed", "service_level", "short_abandon_s", "replications", "goal", "interval_min")
    for name in shared:
        if len({str(getattr(scenario, name)) for scenario in scenarios}) > 1:
            raise InvalidScenario(
                f"compare: {name} must be the same for all rules; say it once for all, as under [baseline]"
            )
    if any(scenario.mode != "replay" for scenario in scenarios):
        raise InvalidScenario("compare: rules are compared in mode replay")


def _side(
    scenarios: Sequence[Scenario], names: Sequence[str], arrays: Arrays, progress: Progress | None, handling: str
) -> tuple[Side, Study, Light | None, list[str]]:
    assumed = [replace(s, assumptions=replace(s.assumptions, handling=handling)) for s in scenarios]
    study = Study(arrays, assumed[0], progress)
    columns = _columns(study, names, assumed)
    others = [c for c, s in zip(columns, assumed, strict=True) if not is_one_rule(s, assumed[0])]
    rule = today_of(assumed[0], arrays)
    # Today's rule is played once, whether or not it is among those compared.
    today = next((c for c, s in zip(columns, assumed, strict=True) if is_one_rule(s, rule)), None)
    # The light judges it under recorded handling, once for the whole comparison.
    lit = None if handling != "recorded" else study.light(today)
    shown = [study.past, *([study.today] if lit and today is None else []), *columns]
    side = Side(
        handling=handling, today=today.name if today else study.today.name if lit else None,
        columns=[study.summary(column) for column in shown],
        differences=[
            RuleDifferences(**vars(study.difference(column, columns[0])), rule=column.name, against=columns[0].name)
            for column in others
        ],
        satisfaction=[study.satisfaction(column, columns[0]) for column in others],
        estimates=study.recorded.estimates,
    )  # fmt: skip
    notes = [said for one in side.columns for said in about_idle(one, f"{one.name}: ")]
    notes += [said for one in shown for said in about_sharing(one.changes, f"{one.name}: ")]
    return side, study, lit, notes


def _columns(study: Study, names: Sequence[str], scenarios: Sequence[Scenario]) -> list[Column]:
    """Each scenario replayed; one that is the first itself is not played again."""
    first = study.column(names[0], scenarios[0])
    rest = zip(names[1:], scenarios[1:], strict=True)
    return [first, *(replace(first, name=n) if is_one_rule(s, scenarios[0]) else study.column(n, s) for n, s in rest)]


def numbered(methods: Sequence[str]) -> list[str]:
    """One name per column: a rule that comes again is numbered.

    Parameters
    ----------
    methods : sequence of str
        Of the rules.

    Returns
    -------
    list of str
        No two alike.

    Examples
    --------
    >>> numbered(["genesys", "weighted", "weighted"])
    ['genesys', 'weighted', 'weighted (2)']
    """
    return [
        f"{method} ({methods[: place + 1].count(method)})" if method in methods[:place] else method
        for place, method in enumerate(methods)
    ]


def _withheld(lit: Light, force: bool, study: Study) -> str | None:
    """Why there are no verdicts; None where there are."""
    if lit.color == "red" and not force:
        return withheld(lit)
    return None if study.resampling.is_possible else TOO_FEW_DAYS


def _verdict(
    name: str, against: str, scenario: Scenario, first: Scenario, sides: Sequence[Side], why: str | None
) -> Verdict:
    found = partial(Verdict, rule=name, against=against, about=METHODS[scenario.method].about)
    if is_one_rule(scenario, first):
        return found(nothing=SAME)
    differences = [next(one for one in side.differences if one.rule == name) for side in sides]
    if all(one.is_nothing for one in differences):
        return found(nothing=NOTHING_DIFFERS)
    words = {} if why else {each: _both([getattr(one, each) for one in differences]) for each in MEASURES}
    return found(withheld=why, **words)


def _both(differences: Sequence[Difference]) -> str:
    """What holds under both ways of handling; where signs differ, nothing does."""
    values = [difference.value for difference in differences if difference.value is not None]
    if len(values) < len(differences):
        return NOT_RECORDED if any(each.says == NOT_RECORDED for each in differences) else "undefined"
    # Two ways of handling that disagree about the sign bound the truth on both sides of no difference.
    if min(values) < 0 < max(values):
        return UNDECIDED
    words = {difference.says for difference in differences}
    # One way sees a difference and the other none: the sign agrees, but it is not clear under both.
    return words.pop() if len(words) == 1 else NO_DIFFERENCE
