"""From tables to outcomes by two ways: the engine's arrays, and plain rows read with the page of meanings in hand."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from engine.data.arrays import Arrays
from engine.data.encode import encode
from engine.data.served import STATUS
from engine.data.tables import TABLES, Tables
from engine.errors import InvalidTable, MissingInput
from engine.estimates.assumptions import Assumptions
from engine.replay import prepare
from engine.replay.prepare import Recorded, demand_of, kinds_of, tell_apart, terms_for
from engine.run import run
from engine.scoring.scores import Terms
from engine.spec import Scenario, csat_of
from tests.oracle_centre import plain
from tests.small_centres import call, centre, engine_outcomes, scenario, tables_of

# 80 by default, fifty times as many at night.
N_CENTRES = 4 * settings.default.max_examples


def terms_as(chosen: Scenario, arrays: Arrays) -> Terms:
    """Terms as a replay of a scenario reads them."""
    return terms_for(chosen, arrays, csat_of(chosen, arrays))


# --- both ways ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("methods", [
    ("weighted",), ("genesys",), ("preferred_agent", "longest_idle", "fixed_order", "random"),
])  # fmt: skip
def test_tables_come_out_as_by_hand(methods: tuple[str, ...]) -> None:
    """Outcome by outcome; with all sorts of outcomes, or the comparison would say little."""
    statuses: Counter[str] = Counter()
    n_refused = 0
    for seed in range(N_CENTRES):
        tables, chosen = centre(seed), scenario(seed, methods[seed % len(methods)])
        try:
            by_hand = plain(chosen, tables).outcomes()
        except MissingInput:
            n_refused += 1
            with pytest.raises(MissingInput, match="staffing cannot be inferred"):
                run(chosen, tables)
            continue
        rows, report = engine_outcomes(chosen, tables)
        assert rows == [row[:-1] for row in by_hand], f"centre({seed}), {methods}"
        assert report.service_level.choice_share == sum(row[-1] == 2 for row in by_hand) / len(by_hand)
        statuses.update(row[1] for row in rows)
    assert min(statuses[name] for name in STATUS) > 0.02 * statuses.total()
    assert statuses["answered"] > 0.3 * statuses.total()
    assert n_refused < N_CENTRES / 10


def test_the_log_says_when_agents_were_there_or_nothing_does():
    """Without a staffing table, and with nobody named: refused with the way out."""
    tables = replace(centre(1), staffing=TABLES["staffing"].empty())
    nobody = tables.interactions.with_columns(agent_id=pl.lit(None, pl.String))
    with pytest.raises(MissingInput, match="give a staffing table"):
        run(Scenario(mode="replay"), replace(tables, interactions=nobody))


# --- kinds --------------------------------------------------------------------------------------------------------


def test_a_kind_is_a_call_type_a_media_and_whom_the_flow_prefers():
    """Every row finds its own values in its kind, two kinds never have the same; agents nobody knows are dropped."""
    n_merged = 0
    for seed in range(N_CENTRES // 4):
        arrays = encode(centre(seed))
        history, names = arrays.history(), arrays.centre.agent_ids
        for with_preferred in (False, True):
            found = tell_apart(history, arrays.centre, with_preferred=with_preferred)
            lists = found.preferred or [None] * found.call_type.size
            kinds = list(zip(found.call_type.tolist(), found.media.tolist(), lists, strict=True))
            attached = [None] * history.n if history.preferred is None else history.preferred.to_list()
            for row, kind in enumerate(found.kind):
                known = [
                    (names.index(e["agent_id"]), e["score"]) for e in attached[row] or () if e["agent_id"] in names
                ]
                expected = tuple(known) or None if with_preferred else None
                assert kinds[kind] == (history.call_type[row], history.media[row], expected)
            assert len(set(kinds)) == len(kinds) == len(set(found.kind.tolist()))
            assert (found.preferred is not None) == with_preferred
            n_merged += len(kinds) < history.n
    assert n_merged > N_CENTRES // 8


def test_priority_is_a_head_start_or_goes_before_everything():
    """1.5 points: 90 s of waiting at a minute a point; where priority is all, before all that have none of it."""
    rows = [call(n, queue_id=queue, priority=points) for n, (queue, points) in enumerate(
        [("timed", 1.5), ("timed", -2.0), ("only", 1.5), ("only", 0.0)]
    )]  # fmt: skip
    queues = [{"queue_id": "timed"}, {"queue_id": "only", "scoring_method": "PriorityOnly"}]
    recorded = Recorded(encode(tables_of(interactions=rows, queues=queues)), Scenario(mode="replay"))
    terms = terms_as(Scenario(mode="replay"), recorded.arrays)
    for point_s in (60.0, 7.0):
        kinds = kinds_of(recorded.by_type, recorded.centre, terms, point_s)
        of_call = recorded.by_type.kind
        assert kinds.tier[of_call].tolist() == [1, 1, 0, 0]
        assert kinds.lead_us[of_call].tolist() == [1_500_000 * point_s, -2_000_000 * point_s, 1_500_000, 0]


def test_more_kinds_and_agents_than_fit_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "MOST_CELLS", 7)
    tables = tables_of(interactions=[call(n, priority=float(n)) for n in range(3)])
    with pytest.raises(InvalidTable, match=r"3 different kinds.*4 agents.*replay fewer days, or merge skills"):
        run(Scenario(mode="replay"), tables)
    assert run(Scenario(mode="replay"), tables_of(interactions=[call(0)])).routed == 1


# --- what is drawn ------------------------------------------------------------------------------------------------


def test_draws_of_an_interaction_do_not_depend_on_the_others():
    """Whoever else is there, and in whatever order the rows were read: pick, misses, and what is recorded."""
    for seed in range(N_CENTRES // 8):
        tables = centre(seed)
        chosen = replace(scenario(seed, "genesys"), assumptions=Assumptions(no_answer=0.6))
        some = tables.interactions.sample(fraction=0.6, shuffle=True, seed=seed)
        if not (some["agent_id"].is_in(tables.agents["agent_id"].implode()) & (some["handle_s"] > 0)).any():
            continue
        whole, part = (_drawn(chosen, replace(tables, interactions=rows)) for rows in (tables.interactions, some))
        assert part == {name: whole[name] for name in part}
        assert len(part) == some.height


def _drawn(chosen: Scenario, tables: Tables) -> dict[str, tuple[Any, ...]]:
    recorded = Recorded(encode(tables), chosen)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms_as(chosen, recorded.arrays), 60.0)
    demand = demand_of(recorded.interactions(0), kinds, recorded.by_type.kind)
    columns = (demand.pick, demand.misses, demand.alert_us, demand.arrived_us)
    ids = recorded.history.interaction_id.to_list()
    return dict(zip(ids, zip(*(column.tolist() for column in columns), strict=True), strict=True))


def test_replications_draw_again_what_is_not_recorded_and_nothing_else():
    """A hundred calls; every fourth has neither handling time nor patience."""
    rows = [
        call(n, outcome="answered", agent_id="ann", wait_s=1.0 * n, handle_s=None if n % 4 == 0 else 10.0 + n,
             patience_s=None if n % 4 == 0 else 500.0)
        for n in range(80)
    ]  # fmt: skip
    rows += [call(100 + n, outcome="abandoned", wait_s=100.0 + n) for n in range(20)]
    chosen = Scenario(mode="replay", assumptions=Assumptions(no_answer=0.3))
    recorded = Recorded(encode(tables_of(interactions=rows)), chosen)
    kinds = kinds_of(recorded.by_type, recorded.centre, terms_as(chosen, recorded.arrays), 60.0)
    first, again, other = (
        demand_of(recorded.interactions(number), kinds, recorded.by_type.kind) for number in (0, 0, 1)
    )
    open_ = np.arange(100) % 4 == 0
    open_[80:] = False
    for name in ("handle_us", "leave_us", "misses", "pick"):
        one, same, new = (getattr(demand, name) for demand in (first, again, other))
        assert one.tobytes() == same.tobytes()
        assert (one != new).any()
        if name == "handle_us":
            assert (one == new)[:80][~open_[:80]].all()
        if name == "leave_us":
            assert (one == new)[~open_].all()
    assert recorded.estimates.handling.drawn == 20
    assert recorded.estimates.patience.counts.drawn == 20


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_alerts_in_a_row_that_nobody_answers_are_geometric(share: float) -> None:
    """n or more with a chance of share ** n, within four standard errors; nobody is asked for ever."""
    ids = pl.Series([f"i{n}" for n in range(20_000)])
    misses = prepare._misses(ids, share, 0, 0)
    for n in (1, 2, 5, 20):
        chance = share**n
        assert (misses >= n).mean() == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / ids.len()))
    assert misses.max() <= prepare.MOST_MISSES
    assert prepare._misses(ids, 0.0, 0, 0).sum() == 0


def test_without_interactions_there_is_nothing_to_prepare():
    recorded = Recorded(encode(tables_of(interactions=[])), Scenario(mode="replay"))
    assert (recorded.first_us, recorded.history.n) == (0, 0)
    kinds = kinds_of(
        recorded.by_type,
        recorded.centre,
        terms_as(Scenario(mode="replay"), recorded.arrays),
        60.0,
    )
    assert demand_of(recorded.interactions(0), kinds, recorded.by_type.kind).arrived_us.size == 0
