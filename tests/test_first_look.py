"""The first look: figures by hand, what looks wrong found and nothing else, the light as a replay has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import routelab
from api.terminal.cli import run
from api.terminal.shown import page
from api.terminal.shown.first_look import show_first_look
from engine.reports.first_look import FirstLook, first_look, last_days
from tests.small_snapshot import write

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
ZONE = "Europe/Berlin"
# Mondays in winter: the local clock is an hour ahead of UTC.
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
HEAD = ["interaction_id", "queue_id", "arrived_at", "agent_id", "outcome", "wait_s", "handle_s"]


def call(n: int, queue: str, minute: int, agent: str | None, wait_s: float, handle_s: float | None) -> dict[str, Any]:
    """A call of a Monday, so many minutes after local midnight."""
    at = MONDAY - timedelta(hours=1) + timedelta(minutes=minute)
    row = (f"i{n}", queue, at, agent, "answered" if agent else "abandoned", wait_s, handle_s)
    return dict(zip(HEAD, row, strict=True))


def looked(calls: Sequence[dict[str, Any]], **more: Any) -> FirstLook:
    options = {name: more.pop(name) for name in ("with_light", "most_seen", "most_replayed") if name in more}
    given = {"agents": [{"agent_id": name} for name in ("ada", "bo")], "time_zone": ZONE} | more
    return first_look(routelab.read(interactions=list(calls), **given).arrays, **options)


def kinds(look: FirstLook) -> list[str]:
    return [finding.kind for finding in look.findings]


def said(look: FirstLook, kind: str) -> str:
    return next(finding.says for finding in look.findings if finding.kind == kind)


def staffed(agent: str, start: int, end: int, day: int = 0) -> dict[str, Any]:
    """On queue from a minute of a local day to another."""
    midnight = MONDAY - timedelta(hours=1) + timedelta(days=day)
    return {
        "agent_id": agent, "start_at": midnight + timedelta(minutes=start), "end_at": midnight + timedelta(minutes=end)
    }  # fmt: skip


# --- figures ----------------------------------------------------------------------------------------------------------

# Monday 08:00 local is minute 480. Goal of every queue: 20 s, the default.
CALLS = [
    call(1, "billing", 480, "ada", 0.0, 100.0), call(2, "billing", 489, "ada", 30.0, 200.0),
    call(3, "billing", 510, None, 60.0, None), call(4, "tech", 515, "bo", 10.0, 300.0),
    # Tuesday, 08:10.
    call(5, "billing", 1440 + 490, "bo", 20.0, 400.0),
]  # fmt: skip
STAFFED = [staffed("ada", 480, 540), staffed("bo", 495, 525), staffed("bo", 480, 510, day=1)]


@pytest.fixture(scope="module")
def small() -> FirstLook:
    return looked(CALLS, staffing=STAFFED)


def test_figures_by_queue_are_those_by_hand(small):
    billing, tech = small.by_queue
    # genesys: (answered - over 20 s) / (answered + abandoned): (3 - 1) / (3 + 1); ASA (0 + 30 + 20) / 3.
    assert (billing.queue_id, billing.offered, billing.answered, billing.abandoned) == ("billing", 4, 3, 1)
    assert (billing.service_level, billing.abandonment) == (0.5, 0.25)
    assert billing.asa_s == pytest.approx(50 / 3)
    assert billing.handle_s == pytest.approx(700 / 3)
    assert (billing.members, billing.answering) == (2, 2)
    assert (tech.offered, tech.service_level, tech.asa_s, tech.handle_s, tech.answering) == (1, 1.0, 10.0, 300.0, 1)
    assert (small.whole.offered, small.whole.service_level, small.whole.handle_s) == (5, 0.6, 250.0)
    assert small.agents == 2


def test_days_and_weeks_are_local_and_count_who_was_on_queue(small):
    monday, tuesday = small.by_day
    assert (monday.first, monday.offered, monday.agents, monday.staffed_h) == ("2026-01-05", 4, 2, 1.5)
    assert (tuesday.first, tuesday.offered, tuesday.agents, tuesday.staffed_h) == ("2026-01-06", 1, 1, 0.5)
    (week,) = small.by_week
    assert (week.first, week.last, week.days, week.offered, week.agents) == ("2026-01-05", "2026-01-06", 2, 5, 2)


def test_a_week_begins_on_monday():
    """Sunday the 4th, Monday the 5th and Sunday the 11th of January 2026."""
    calls = [call(n, "q", 1440 * day + 600, "ada", 0.0, 60.0) for n, day in enumerate((-1, 0, 6))]
    weeks = [(week.first, week.last, week.days, week.offered) for week in looked(calls, with_light=False).by_week]
    assert weeks == [("2026-01-04", "2026-01-04", 1, 1), ("2026-01-05", "2026-01-11", 2, 2)]


def test_half_hours_are_of_the_local_day_with_means_over_days(small):
    eight, half_past = small.by_half_hour
    # 08:00: Ada 30 minutes and Bo 15 on Monday, Bo 30 on Tuesday: 75 minutes over two days of 30 minutes.
    assert (eight.start, eight.offered, eight.offered_a_day, eight.on_queue) == ("08:00", 3, 1.5, pytest.approx(1.25))
    # 08:30: Ada 30 and Bo 15 on Monday, nobody on Tuesday.
    assert (half_past.start, half_past.offered, half_past.on_queue) == ("08:30", 2, pytest.approx(0.75))
    assert half_past.abandonment == 0.5


def test_without_staffing_it_is_inferred_and_without_that_left_out():
    assert looked(CALLS).staffing == "inferred"
    unnamed = [row | {"agent_id": None, "handle_s": None} for row in CALLS]
    found = looked(unnamed)
    assert (found.staffing, found.lit, found.by_day[0].agents) == (None, None, None)
    assert found.by_half_hour[0].on_queue is None
    assert "give a staffing table" in found.why_not_lit
    assert found.whole.asa_s == 15.0


def test_an_hour_that_comes_twice_is_one_half_hour_of_the_day():
    """Clocks go back in Berlin on 25 October 2026 at 01:00 UTC: 00:30 UTC and 01:30 UTC are both 02:30."""
    at = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    calls = [call(n, "q", 0, "ada", 0.0, 60.0) | {"arrived_at": at + timedelta(hours=n)} for n in range(2)]
    (only,) = looked(calls).by_half_hour
    assert (only.start, only.offered) == ("02:30", 2)


# --- what looks wrong -------------------------------------------------------------------------------------------------


def test_a_sound_record_has_no_findings():
    assert kinds(looked(CALLS, staffing=STAFFED)) == []
    arrays = routelab.read(**{name: SAMPLE / f"{name}.csv" for name in (
        "agents", "interactions", "members", "queues", "surveys", "staffing")}).arrays  # fmt: skip
    assert kinds(first_look(arrays, with_light=False)) == []


def test_who_answers_where_they_are_no_member():
    members = [{"queue_id": queue, "agent_id": "ada"} for queue in ("billing", "tech")]
    found = looked(CALLS, members=members, staffing=STAFFED)
    assert said(found, "members").startswith("2 of 4 answers come from agents who are not in the queue")
    assert "bo in billing, bo in tech" in said(found, "members")


def test_queues_that_nobody_serves_and_queues_without_interactions():
    members = [{"queue_id": "billing", "agent_id": name} for name in ("ada", "bo")]
    queues = [{"queue_id": name, "queue_name": name.title()} for name in ("billing", "tech", "fax")]
    found = looked(CALLS, members=members, queues=queues, staffing=STAFFED)
    assert said(found, "unserved") == "nobody on queue serves Tech, with 1 interaction; give their members"
    assert said(found, "empty queues") == "no interactions in Fax"


def test_agents_without_work_and_answers_without_hours():
    agents = [{"agent_id": name} for name in ("ada", "bo", "cem", "dai")]
    found = looked(CALLS, agents=agents, staffing=[staffed("ada", 480, 540), staffed("cem", 480, 540)])
    assert said(found, "agents") == "2 agents of 4 answered nothing: cem, dai"
    assert said(found, "unstaffed").startswith("1 agent answered and stands nowhere in the staffing table: bo; their 2")
    # Bo's 300 and 400 s of 1000 are outside all blocks.
    assert said(found, "off queue").startswith("70 % of the recorded work lies outside")


def test_rows_that_stand_there_twice():
    again = [row | {"interaction_id": f"{row['interaction_id']}-2"} for row in CALLS[:2]]
    assert said(looked([*CALLS, *again]), "duplicates").startswith("2 answered interactions stand there twice")
    # The same time alone is no duplicate.
    assert "duplicates" not in kinds(looked([*CALLS, CALLS[0] | {"interaction_id": "x", "wait_s": 1.0}]))


def test_calls_of_one_agent_at_once():
    found = looked([call(n, "q", 480 + n, "ada", 0.0, 100.0) for n in range(4)])
    # Each begins 40 s before the last has ended.
    assert said(found, "overlaps").startswith("3 of 4 calls begin while their agent is still on another, first of ada")
    near = [call(n, "q", 480 + n, "ada", 0.0, 61.0) for n in range(4)]
    assert "overlaps" not in kinds(looked(near))


def test_times_to_the_minute_are_told_and_no_overlaps():
    """Calls of 70 s a minute apart overlap by 10 s, which times to the minute cannot tell; with seconds they do."""
    calls = [call(n, "q", 480 + n, "ada", 0.0, 70.0) for n in range(20)]
    assert kinds(looked(calls)) == ["minutes", "agents"]
    exact = [row | {"arrived_at": row["arrived_at"] + timedelta(seconds=1)} for row in calls]
    assert kinds(looked(exact)) == ["overlaps", "agents"]


def busy_weeks(days: Sequence[int], left_out: tuple[int, int, int] | None = None) -> list[dict[str, Any]]:
    """A call every five minutes from 08:00 to 18:00 of some days, but for a stretch of one of them."""
    calls = []
    for day in days:
        for minute in range(480, 1080, 5):
            if left_out and day == left_out[0] and left_out[1] <= minute < left_out[2]:
                continue
            row = call(len(calls), "q", 1440 * day + minute, "ada" if minute % 2 else "bo", 0.0, 60.0)
            calls.append(row | {"arrived_at": row["arrived_at"] + timedelta(seconds=7)})
    return calls


def test_a_day_that_is_missing_among_its_like():
    found = looked(busy_weeks([0, 1, 2, 7, 9, 14, 15, 16]), with_light=False)
    # Mondays, Tuesdays and Wednesdays of three weeks: only the second Tuesday is not there.
    assert said(found, "days") == (
        "hardly any interactions on Tue 2026-01-13 (none, usually about 120); a holiday, or missing from the files?"
    )
    assert [finding.n for finding in found.findings if finding.kind == "days"] == [1]


def test_hours_that_are_missing_within_a_day():
    found = looked(busy_weeks([0, 7, 14], left_out=(7, 600, 720)), with_light=False)
    # Of 120 calls of a Monday 24 fall into 10:00 to 12:00; in the measure of that day's 96: 19.
    assert said(found, "hours") == (
        "nothing arrived on Mon 2026-01-12 10:00 to 12:00 (about 19 expected); missing from the files, or closed?"
    )
    assert kinds(looked(busy_weeks([0, 7, 14]), with_light=False)) == []


def test_a_night_shift_of_a_day_centre_is_asked_about():
    """The same calls read in another zone: 08:00 in Berlin is 20:00 in Auckland, and most of the day a night."""
    found = looked(busy_weeks([0, 7, 14]), time_zone="Pacific/Auckland", with_light=False)
    assert "is that the zone of these times?" in said(found, "night")


def test_what_rows_do_not_say_is_counted():
    calls = [row | {"wait_s": None} if n % 2 else row for n, row in enumerate(CALLS)]
    found = looked(calls)
    assert "2 of 4 answered interactions have no wait: ASA and service level are those of the rest" in [
        finding.says for finding in found.findings
    ]


# --- the light --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample() -> routelab.Centre:
    tables = ("agents", "interactions", "members", "queues", "surveys", "staffing")
    return routelab.read(**{name: SAMPLE / f"{name}.csv" for name in tables})


def test_the_light_is_the_one_of_a_replay_and_its_parts_add_up(sample):
    found = first_look(sample.arrays).lit
    report = routelab.replay(sample, method="genesys").report
    assert vars(found.light) == {name: getattr(report.replay.light, name) for name in vars(found.light)}
    assert (
        sum(row.offered for row in found.by_queue) == sum(row.offered for row in found.by_half_hour) == found.n == 300
    )
    recorded = {row.queue_id: row.service_level for row in first_look(sample.arrays, with_light=False).by_queue}
    assert {row.queue_id: row.recorded.service_level for row in found.by_queue} == recorded
    replayed = {row.queue_id: row.asa_s for row in report.service_level.by_queue}
    assert {row.queue_id: row.replayed.asa_s for row in found.by_queue} == replayed
    assert found.advice == []


def test_a_replay_that_misses_says_where_and_what_would_help():
    """Half of the staff is missing from the plan, so customers wait in the replay who did not."""
    calls = busy_weeks([0, 1])
    # Everybody has two minutes of work each five minutes; Ada alone cannot do both.
    calls = [row | {"handle_s": 590.0} for row in calls]
    found = looked(calls, staffing=[staffed("ada", 480, 1090, day) for day in (0, 1)]).lit
    assert found.light.color == found.whole.color == "red"
    assert found.by_queue[0].color == "red" and "asa_s" in found.by_queue[0].off
    assert any("stands nowhere in the staffing table: bo" in said for said in found.advice)
    assert found.advice[: len(found.light.remedy.split("; "))] == found.light.remedy.split("; ")


def test_what_the_colour_does_not_say_is_noted(small):
    assert small.lit.notes == [
        "the light rests on 2 days only, so it may be chance; another --seed or --replications tell"
    ]
    centre = routelab.read(agents=[{"agent_id": "ada"}, {"agent_id": "bo"}], interactions=CALLS)
    made_up = replace(centre.arrays, snapshot=replace(centre.arrays.snapshot, made_up=["interactions"]))
    assert first_look(made_up).lit.notes[0].startswith("the record itself is made up")


def test_parts_of_few_interactions_are_not_called_off_by_chance(small):
    assert {row.color for row in small.lit.by_half_hour} <= {"green", "unknown"}


def test_a_large_data_set_is_looked_at_by_its_last_whole_days(sample):
    """100 interactions on each of three days."""
    found = first_look(sample.arrays, most_seen=250, most_replayed=100)
    assert [day.first for day in found.by_day] == ["2024-03-05", "2024-03-06"]
    assert (found.window.start, found.whole.offered) == ("2024-03-05", 200)
    assert (found.lit.window.start, found.lit.n, found.lit.days) == ("2024-03-06", 100, 1)
    assert last_days(sample.arrays, 300) is sample.arrays
    # A day that is larger than all that is looked at is looked at all the same.
    assert first_look(sample.arrays, with_light=False, most_seen=10).whole.offered == 100


def test_the_last_days_are_those_that_fit():
    """One, two and three calls on three days."""
    calls = [call(3 * day + n, "q", 1440 * day + 600 + n, "ada", 0.0, 30.0) for day in range(3) for n in range(day + 1)]
    arrays = routelab.read(agents=[{"agent_id": "ada"}], interactions=calls, time_zone=ZONE).arrays
    offered = [last_days(arrays, most).history().n for most in (1, 3, 4, 5, 6)]
    assert offered == [3, 3, 3, 5, 6]


# --- on the screen ----------------------------------------------------------------------------------------------------


def screen(look: FirstLook, capsys, monkeypatch, columns: int, **more: bool) -> str:
    monkeypatch.setattr(page, "PIPED_COLUMNS", columns)
    show_first_look(look, "centre", **more)
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def forty() -> FirstLook:
    """Queues with long, hostile and foreign names; one of them without a single answer."""
    names = ["[/old] \x1b[2J\u202e", "מוקד שירות לקוחות", "x" * 300, *(f"Queue {n}" for n in range(37))]
    calls = [call(n, f"q{n % 40}", 480 + n % 90, None if n % 40 == 3 else "ada", 5.0, 1.0) for n in range(400)]
    queues = [{"queue_id": f"q{n}", "queue_name": name} for n, name in enumerate(names)]
    return looked(calls, queues=queues)


@pytest.mark.parametrize("columns", [50, 60, 80, 120])
def test_a_screen_fits_its_width_whatever_the_names(forty, capsys, monkeypatch, columns):
    for everything in (False, True):
        shown = screen(forty, capsys, monkeypatch, columns, everything=everything)
        from rich.cells import cell_len

        assert max(map(cell_len, shown.splitlines())) <= columns
        assert "\x1b" not in shown and "\u202e" not in shown and "[/old]" in shown
        assert ("32 more" in shown) != everything


def test_a_screen_says_what_the_figures_are(small, capsys, monkeypatch):
    shown = screen(small, capsys, monkeypatch, 80)
    assert "billing" in shown and "60.0 %" in shown and "2026-01-05 to 2026-01-06, 2 days with arrivals" in shown
    assert "1.5 (08:00)" in shown and "Nothing looks wrong." in shown
    assert "staffing recorded" in shown


def test_nothing_answered_and_nothing_at_all_are_told(capsys, monkeypatch):
    lost = screen(looked([row | {"agent_id": None, "outcome": "abandoned"} for row in CALLS]), capsys, monkeypatch, 80)
    assert "No light:" in lost and "0.0 %" in lost
    centre = routelab.read(agents=[{"agent_id": "ada"}], interactions=CALLS[:1])
    # A window without interactions.
    empty = first_look(replace(centre.arrays.window(0, 1)))
    assert kinds(empty) == ["empty"]
    assert "no interactions" in screen(empty, capsys, monkeypatch, 80)


def test_a_terminal_without_blocks_gets_plain_marks(small, capsys, monkeypatch):
    import sys

    class Ascii:
        encoding = "ascii"

    assert page.blocks([0.0, 1.0, None], 1.0) == "▁█·"
    monkeypatch.setattr(sys, "stdout", Ascii())
    assert page.blocks([0.0, 1.0, None], 1.0) == ".@ "


# --- the command ------------------------------------------------------------------------------------------------------


def test_show_and_imports_give_the_look_and_json_has_all_of_it(tmp_path, capsys):
    at = ["--store", str(tmp_path)]
    files = [f"--{name}={SAMPLE / name}.csv" for name in ("agents", "interactions", "staffing")]
    assert run(["snapshot", "files", "--name", "s", *files, *at]) == 0
    made = capsys.readouterr().out
    assert "By half hour of the day" in made and "GREEN" in made and made.rstrip().endswith("--out out/s")
    assert run(["snapshot", "show", "s", "--no-light", *at]) == 0
    assert "No light: not asked for" in capsys.readouterr().out
    assert run(["snapshot", "show", "s", "--json", *at]) == 0
    found = json.loads(capsys.readouterr().out)["first_look"]
    assert found["whole"]["offered"] == 300 and found["lit"]["light"]["color"] == "green"
    assert found["by_queue"][0]["queue_id"] == "care"


def test_a_look_that_cannot_be_taken_fails_no_import(tmp_path, capsys, monkeypatch):
    from engine.errors import NotEnoughMemory
    from ingest.workers import MEMORY

    def refuse(need: object) -> None:
        raise NotEnoughMemory("a replay needs more than there is")

    monkeypatch.setattr(type(MEMORY), "held", lambda self, need: refuse(need))
    write(tmp_path)
    assert run(["snapshot", "show", "s", "--store", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "note: no light: a replay needs more than there is" in told.err
    assert "By half hour of the day" in told.out
