"""What-ifs: no lever is the baseline to the last bit, and a lever does what the same change of the record would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

from engine.data.centre import Blocks
from engine.data.encode import encode
from engine.data.served import Status
from engine.data.tables import Tables
from engine.errors import InvalidScenario, InvalidTable, RoutingError, UnknownName
from engine.estimates.assumptions import Assumptions
from engine.estimates.completed import Completed, Interactions, merged
from engine.levers import LEVERS, changed, levers_of, plain
from engine.levers.handle import Handle
from engine.levers.when import When
from engine.replay.explain import explain_replay
from engine.replay.playing import Played, play
from engine.replay.prepare import Recorded
from engine.reports.columns import Study
from engine.reports.compare import compare
from engine.run import choose, run
from engine.spec import Scenario, scenario_of
from engine.study import comparing
from tests.small_centres import call, centre, scenario, tables_of
from tests.strategies import MIDNIGHT

N = settings.default.max_examples
REPLAY = Scenario(mode="replay", method="longest_idle")
SIDES = ("status", "agent", "wait_s", "offered_us", "start_us", "end_us", "found")


def made(n: int = 60, **more: Any) -> Tables:
    """Two queues with names, two skills, agents in two groups; every handling time is a whole number of 40 seconds."""
    rows = [
        call(n_, 20.0 * n_, queue_id="tech" if n_ % 3 else "sale", skills=["de"] if n_ % 2 else ["fr"],
             outcome="answered", agent_id=("ann", "bob")[n_ % 2], wait_s=1.0, handle_s=40.0 * (1 + n_ % 5), acw_s=0.0,
             patience_s=90.0 + n_)
        for n_ in range(n)
    ]  # fmt: skip
    skills = [{"name": name, "proficiency": 3.0} for name in ("de", "fr")]
    agents = [
        {"agent_id": name, "agent_name": f"{name} x", "group": group, "skills": skills, "languages": []}
        for name, group in (("ann", "red"), ("bob", "red"), ("cid", "blue"))
    ]
    queues = [{"queue_id": "tech", "queue_name": "Technik"}, {"queue_id": "sale", "queue_name": "Verkauf"}]
    members = [{"queue_id": queue, "agent_id": name} for queue in ("tech", "sale") for name in ("ann", "bob", "cid")]
    staffing = [
        {"agent_id": name, "start_at": MIDNIGHT + timedelta(hours=9), "end_at": MIDNIGHT + timedelta(hours=10)}
        for name in ("ann", "bob", "cid")
    ]
    return tables_of(interactions=rows, agents=agents, queues=queues, members=members, staffing=staffing, **more)


def outcome(chosen: Scenario, tables: Tables) -> Played:
    return play(chosen, Recorded(encode(tables), chosen))


def same(one: Played, other: Played) -> bool:
    """Equal to the last bit."""
    return all(getattr(one.served, side).tobytes() == getattr(other.served, side).tobytes() for side in SIDES)


def with_levers(chosen: Scenario, **given: Any) -> Scenario:
    return replace(chosen, levers=levers_of(given))


# --- handle ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handling", ["recorded", "agent"])
def test_a_factor_of_one_is_the_baseline_to_the_last_bit(handling):
    """Of everything, of a queue, of an agent: whatever is drawn and assumed."""
    n_played = 0
    for seed in range(N):
        tables = centre(seed)
        if tables.staffing.is_empty() or tables.interactions.is_empty():
            continue
        chosen = scenario(seed, "genesys")
        chosen = replace(chosen, assumptions=replace(chosen.assumptions, handling=handling))
        try:
            wanted = outcome(chosen, tables)
        except RoutingError:
            continue
        names = wanted.completed.centre
        ones = [{"factor": 1.0, "queue": names.queue_ids[0]}, {"factor": 1.0, "agent": names.agent_ids[0]}]
        for given in (1.0, ones):
            assert same(outcome(with_levers(chosen, handle=given), tables), wanted), f"centre({seed})"
        n_played += 1
    assert n_played > N / 4


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.25, 2.0])
@pytest.mark.parametrize("handling", ["recorded", "agent"])
def test_a_factor_on_everything_is_the_record_with_longer_times(factor, handling):
    """Every time is recorded, so nothing is drawn; as fitted, factors of agents do not change with a common scale."""
    chosen = replace(REPLAY, assumptions=Assumptions(handling=handling))
    tables = made()
    by_hand = replace(tables, interactions=tables.interactions.with_columns(pl.col("handle_s") * factor))
    found = outcome(with_levers(chosen, handle=factor), tables)
    wanted = outcome(chosen, by_hand)
    assert not same(found, outcome(chosen, tables))
    assert (found.served.agent == wanted.served.agent).all()
    np.testing.assert_allclose(found.served.end_us, wanted.served.end_us, atol=0 if handling == "recorded" else 2)


@pytest.mark.parametrize(
    ("entry", "rows"),
    [
        ({"queue": "tech"}, lambda r: r["queue_id"] == "tech"),
        ({"queue": "Technik"}, lambda r: r["queue_id"] == "tech"),
        ({"skill": "fr"}, lambda r: "fr" in r["skills"]),
        ({"when": {"from": "09:05", "to": "09:10"}}, lambda r: 5 <= r["arrived_at"].minute < 10),
        ({"queue": "tech", "when": {"weekdays": ["sun"]}}, lambda r: r["queue_id"] == "tech" and
         r["arrived_at"].weekday() == 6),
    ],
)  # fmt: skip
def test_a_queue_a_skill_or_a_time_scales_its_interactions_only(entry, rows):
    tables = made()
    scaled = [
        row | {"handle_s": row["handle_s"] * (1.5 if rows(row) else 1.0)} for row in tables.interactions.to_dicts()
    ]
    by_hand = replace(tables, interactions=pl.DataFrame(scaled, schema=tables.interactions.schema))
    found = outcome(with_levers(REPLAY, handle={"factor": 1.5} | entry), tables)
    assert same(found, outcome(REPLAY, by_hand))


@pytest.mark.parametrize("handling", ["recorded", "agent"])
@pytest.mark.parametrize(
    ("entry", "who"), [({"agent": "bob"}, {1}), ({"agent": "cid x"}, {2}), ({"group": "red"}, {0, 1})]
)
def test_an_agent_or_a_group_scales_what_these_handle_in_the_replay(handling, entry, who):
    """And within a time only what came in it; whoever handled it in the record."""
    chosen = replace(REPLAY, assumptions=Assumptions(handling=handling))
    for when in (None, {"from": "09:05", "to": "09:10"}):
        given = {"factor": 2.0} | entry | ({"when": when} if when else {})
        served = (played := outcome(with_levers(chosen, handle=[given]), made())).served
        at = played.completed.interactions
        plain_us = at.handle_us.astype(float)
        if handling == "agent":
            plain_us = (
                at.base_us
                * Recorded(encode(made()), chosen)
                .interactions(0)
                .factor[Recorded(encode(made()), chosen).interactions(0).handling, served.agent]
            )
        minute = served.arrived_us // 60_000_000 % 60
        theirs = np.isin(served.agent, list(who)) & ((minute >= 5) & (minute < 10) if when else True)
        done = served.status == Status.ANSWERED
        assert theirs.any()
        assert (done & ~theirs).any()
        spent_us = (served.end_us - served.start_us)[done]
        np.testing.assert_array_equal(spent_us, np.rint(plain_us * np.where(theirs, 2.0, 1.0))[done].astype(np.int64))


def test_the_most_specific_entry_counts_and_agents_come_on_top():
    """All 2, tech 3, tech at five past 4; the group 1.5, of them bob 5."""
    given = [
        {"factor": 4.0, "queue": "tech", "when": {"from": "09:05", "to": "09:10"}}, {"factor": 2.0},
        {"factor": 5.0, "agent": "bob"}, {"factor": 3.0, "queue": "Technik"}, {"factor": 1.5, "group": "red"},
    ]  # fmt: skip
    recorded = Recorded(encode(made()), REPLAY)
    before, after = recorded.completed(0), changed(recorded.completed(0), levers_of({"handle": given}))
    minute = before.interactions.arrived_us // 60_000_000 % 60
    tech = before.queue == before.centre.queue_ids.index("tech")
    share = np.where(tech, np.where((minute >= 5) & (minute < 10), 4.0, 3.0), 2.0)
    assert (after.interactions.handle_us == before.interactions.handle_us * share).all()
    assert after.interactions.factor is not None
    assert np.unique(after.interactions.factor, axis=0).tolist() == [[1.5, 5.0, 1.0]]


def test_equally_specific_entries_must_agree_where_they_meet():
    entries = [{"factor": 1.1, "queue": "tech"}, {"factor": 1.2, "skill": "de"}]
    with pytest.raises(InvalidScenario, match=r"skill 'de' and queue 'tech' hold for the same and want 1\.2 and 1\.1"):
        outcome(with_levers(REPLAY, handle=entries), made())
    alike = [entry | {"factor": 1.25} for entry in entries]
    assert outcome(with_levers(REPLAY, handle=alike), made()).served.n == 60
    # Where they never meet, each has its own.
    apart = [{"factor": 1.1, "queue": "tech"}, {"factor": 1.2, "queue": "sale"}]
    assert outcome(with_levers(REPLAY, handle=apart), made()).served.n == 60


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"queue": "Tecnik"}, r"no queue 'Tecnik'; did you mean 'Technik'\? there are Technik, Verkauf"),
        ({"skill": "it"}, "no skill 'it'; there are de, fr"),
        ({"agent": "bobx"}, r"did you mean 'bob x'\? there are ann x, bob x, cid x"),
        ({"group": "green"}, "there are blue, red"),
    ],
)
def test_unknown_names_are_refused_with_those_that_exist(entry, reason):
    with pytest.raises(UnknownName, match=reason):
        outcome(with_levers(REPLAY, handle={"factor": 1.5} | entry), made())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"handle": 0}, "number from 0.01 to 100"), ({"handle": float("inf")}, "number from 0.01 to 100"),
        ({"handle": True}, "number from 0.01 to 100"), ({"handle": "fast"}, "number from 0.01 to 100"),
        ({"handle": []}, "give a factor"), ({"handle": {}}, "factor is nothing"),
        ({"handle": {"factor": 1, "que": "a"}}, "que is not one of factor, queue"),
        ({"handle": {"factor": 1, "queue": "a", "agent": "b"}}, "names queue and agent"),
        ({"handle": {"factor": 1, "queue": 7}}, "queue is 7"),
        ({"handle": {"factor": 1, "when": {"day": "mon"}}}, "weekdays, from, to"),
        ({"handle": {"factor": 1, "when": {"weekdays": ["monday"]}}}, "mon, tue"),
        ({"handle": {"factor": 1, "when": {"from": "8"}}}, "HH:MM"),
        ({"handle": {"factor": 1, "when": {"from": "08:00", "to": "08:00"}}}, "no time"),
        ({"handel": 1.1}, "did you mean handle"), ({"zzz": 1.1}, "levers are handle"),
    ],
)  # fmt: skip
def test_what_no_lever_can_read_is_refused(given, reason):
    with pytest.raises(InvalidScenario, match=reason):
        levers_of(given)


def test_levers_are_part_of_a_scenario_and_written_as_they_are_read():
    given = {"handle": [{"factor": 1.05, "queue": "tech", "when": {"weekdays": ["mon", "fri"], "from": "08:00"}}]}
    chosen = scenario_of({"mode": "replay"} | given)
    assert chosen.levers == levers_of(plain(chosen.levers)) == levers_of(given)
    assert chosen.to_dict()["levers"] == plain(chosen.levers)
    assert "levers" not in REPLAY.to_dict()
    assert scenario_of({"handle": 2.0}, chosen).levers == levers_of({"handle": 2.0})
    with pytest.raises(InvalidScenario, match="use mode replay"):
        Scenario(levers=levers_of(given))
    with pytest.raises(InvalidScenario, match="given twice"):
        replace(REPLAY, levers=(Handle.of(1.1), Handle.of(1.2)))
    with pytest.raises(InvalidScenario, match="is no lever"):
        replace(REPLAY, levers=(1.1,))


def test_levers_of_a_study_s_baseline_move_the_baseline_only():
    rows = [{"name": "same"}, {"name": "slower", "handle": 1.5}]
    base, same_, slower = comparing({"baseline": {"handle": 1.2}, "scenario": rows}).scenarios("genesys")
    assert [plain(one.levers) for one in (base, same_, slower)] == [
        {"handle": [{"factor": 1.2}]}, {}, {"handle": [{"factor": 1.5}]}
    ]  # fmt: skip


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_began():
    """Friday from 22:00 to 02:00 in Berlin: Saturday's first two hours, and not Friday's."""
    when = When.of({"weekdays": ["fri"], "from": "22:00", "to": "02:00"})
    hours = pl.datetime_range(
        pl.datetime(2024, 6, 6), pl.datetime(2024, 6, 9), "1h", time_zone="Europe/Berlin", eager=True
    )
    held = when.holds(hours.dt.epoch("us").to_numpy(), "Europe/Berlin")
    assert [(hour.day, hour.hour) for hour, is_held in zip(hours, held, strict=True) if is_held] == [
        (7, 22), (7, 23), (8, 0), (8, 1)
    ]  # fmt: skip


# --- what is behind a lever -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Other:
    """For tests: leaves every third interaction out, adds copies of others, takes an agent's blocks and skills away."""

    about: ClassVar[str] = "other rows"
    added: int = 2

    @classmethod
    def of(cls, given: Any) -> Other:
        return cls(int(given))

    def plain(self) -> int:
        return self.added

    def change(self, completed: Completed) -> Completed:
        given = completed.interactions
        kept = given.rows(np.arange(given.n) % 3 > 0)
        more = given.rows(np.arange(given.n) % 4 == 0)
        copies = [
            replace(
                more, interaction_id=more.interaction_id + f"+{number}",
                arrived_us=np.sort(more.arrived_us + number * 86_400_000_000 - 1),
            )
            for number in range(1, self.added + 1)
        ]  # fmt: skip
        blocks, centre = completed.staffed, completed.centre
        there = blocks.agent != 0
        completed = completed.with_interactions(merged([kept, *copies]))
        completed = completed.with_staffed(Blocks(blocks.agent[there], blocks.start_us[there], blocks.end_us[there]))
        ring = centre.ring.copy()
        ring[:, -1] = 0
        level = centre.proficiency.copy()
        level[-1] = np.nan
        completed = completed.with_skills(level, centre.language_level).with_members(ring)
        return completed.with_queues(centre.queues.with_columns(service_level_s=pl.lit(5.0)))


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    monkeypatch.setitem(LEVERS, "other", Other)
    return replace(REPLAY, levers=levers_of({"other": 2}))


def test_nothing_behind_a_lever_assumes_the_recorded_rows(other):
    """More rows, fewer, on other days; report, comparison, outcomes and explanation are of those."""
    arrays = encode(made())
    kept: list[Any] = []
    report = run(replace(other, replications=2), arrays, kept.append)
    n = 40 + 2 * 15
    frame = kept[0].to_frame()
    assert frame.height == n == report.n_interactions
    assert frame["interaction_id"].str.contains(r"\+").sum() == 30
    assert choose(other, arrays).to_frame().equals(frame)
    assert report.replay.columns[0].offered == report.replay.columns[1].offered == 60
    assert report.replay.columns[2].offered == report.service_level.offered == n
    # Who has no blocks is not chosen, who is no member neither.
    assert set(frame["selected_agent_id"].drop_nulls()) == {"bob"}
    found = compare([REPLAY, other, with_levers(REPLAY, handle=2.0)], arrays, force=True)
    assert [column.offered for column in found.sides[0].columns[-3:]] == [60, n, 60]
    added = next(name for name in frame["interaction_id"] if "+" in name)
    said = explain_replay(other, arrays, added).interaction
    assert plain_of(said)["interaction_id"] == added
    with pytest.raises(UnknownName):
        explain_replay(other, arrays, "i000")


def plain_of(said: Any) -> dict[str, Any]:
    return said if isinstance(said, dict) else vars(said)


def test_today_and_the_record_know_no_lever(other):
    """A scenario's levers change its own column only."""
    study, bare = (Study(encode(made()), chosen) for chosen in (other, REPLAY))
    for name in ("past", "today"):
        mine, theirs = getattr(study, name), getattr(bare, name)
        assert all((getattr(mine.served, side) == getattr(theirs.served, side)).all() for side in ("status", "wait_s"))


def test_levers_apply_in_the_order_of_the_table_whatever_the_order_given(other):
    both = {"other": 1, "handle": 2.0}
    one, two = (levers_of(dict(items)) for items in (both.items(), reversed(both.items())))
    assert one == two == replace(REPLAY, levers=tuple(reversed(one))).levers
    recorded = Recorded(encode(made()), REPLAY)
    before = recorded.completed(0)
    after, twice = changed(before, one), changed(changed(before, one[:1]), one[1:])
    assert (after.interactions.handle_us == twice.interactions.handle_us).all()
    assert after.interactions.handle_us.max() == 2 * before.interactions.handle_us.max()


def test_a_lever_never_has_anything_estimated_again(other, monkeypatch):
    """Staffing, factors and curves are fitted once for all scenarios of a study."""
    fitted: list[str] = []
    for name in ("staffing", "fit_factors", "curves"):
        real = getattr(__import__("engine.replay.prepare", fromlist=[name]), name)

        def spied(*given: Any, _real: Any = real, _name: str = name, **more: Any) -> Any:
            fitted.append(_name)
            return _real(*given, **more)

        monkeypatch.setattr(f"engine.replay.prepare.{name}", spied)
    chosen = replace(other, assumptions=Assumptions(handling="agent"), replications=3)
    study = Study(encode(made()), chosen)
    for levers in ((), other.levers, levers_of({"handle": 1.5}), levers_of({"handle": {"factor": 2, "agent": "bob"}})):
        study.column("any", replace(chosen, levers=levers))
    assert sorted(fitted) == ["curves", "fit_factors", "staffing"]


# --- the completed data set -------------------------------------------------------------------------------------------


def completed() -> Completed:
    return Recorded(encode(made()), REPLAY).completed(0)


def test_what_cannot_be_a_data_set_is_refused():
    whole = completed()
    given, centre = whole.interactions, whole.centre
    with pytest.raises(InvalidTable, match="'i000' would be there twice"):
        merged([given, given.rows(np.array([0]))])
    with pytest.raises(InvalidTable, match="order of arrival"):
        replace(given, arrived_us=given.arrived_us[::-1])
    with pytest.raises(InvalidTable, match="60 values"):
        replace(given, misses=given.misses[1:])
    with pytest.raises(InvalidTable, match="must not be negative"):
        given.scaled(np.full(given.n, -1.0))
    with pytest.raises(InvalidTable, match="call types"):
        whole.with_interactions(replace(given, call_type=given.call_type + 99))
    with pytest.raises(InvalidTable, match="places from 0 to 2"):
        whole.with_staffed(Blocks(np.array([3], np.int32), np.array([0]), np.array([9])))
    with pytest.raises(InvalidTable, match="levels from 0 to 5"):
        whole.with_skills(centre.proficiency + 9, centre.language_level)
    with pytest.raises(InvalidTable, match="rings from 1 to 6"):
        whole.with_members(centre.ring + 6)
    with pytest.raises(InvalidTable, match="same queues"):
        whole.with_queues(centre.queues.reverse())


def test_merging_what_was_taken_apart_gives_the_whole():
    given = completed().interactions
    odd = np.arange(given.n) % 2 > 0
    again = merged([given.rows(odd), given.rows(~odd)])
    for name in Interactions.__dataclass_fields__:
        mine, theirs = getattr(again, name), getattr(given, name)
        assert mine is theirs is None or (mine == theirs).all()


def test_leaving_out_the_first_does_not_move_the_start():
    """Idle clocks start where the record does, so scenarios stay paired; an earlier arrival moves it."""
    whole = completed()
    given = whole.interactions
    assert whole.with_interactions(given.rows(np.arange(5, given.n))).start_us == whole.start_us
    assert whole.with_interactions(replace(given, arrived_us=given.arrived_us - 7)).start_us == whole.start_us - 7
