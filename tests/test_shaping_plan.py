"""Shift plans as people write them, and what the log says of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.errors import InvalidTable
from ingest.exports.profile.profile import Between, Copied, From, Joined, Part, Profile
from ingest.exports.shaping import shape
from ingest.exports.shaping.naming import Notes
from ingest.exports.shaping.plan import without
from ingest.exports.shaping.presence import fit_to_log, joined
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.sheets.sheet import Sheet

CALLS = {
    "at": ["2026-03-02 09:00:00", "2026-03-03 09:00:00"], "queue": ["q", "q"], "who": ["Peter Lang", "Anna Groß"],
    "handle": [60, 60],
}  # fmt: skip
CALLS_FROM: dict[str, From] = {
    "arrived_at": Copied("at"), "queue_id": Copied("queue"), "agent_id": Copied("who"), "handle_s": Copied("handle")
}  # fmt: skip
PEOPLE = {"id": ["1", "2"], "name": ["Lang, Peter", "Groß, Anna"]}
PEOPLE_FROM: dict[str, From] = {"agent_id": Copied("id"), "agent_name": Copied("name")}


def sheet(name: str, columns: dict[str, Any]) -> Sheet:
    frame = pl.DataFrame(columns, strict=False)
    return Sheet(name, (Path(name),), frame, np.arange(2, 2 + frame.height), "made")


def staffing(part: Part, plan: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Agent, start and end of every spell, in the time of the clock (UTC)."""
    parts = (Part("interactions", ("calls.csv",), CALLS_FROM), Part("agents", ("agents.csv",), PEOPLE_FROM), part)
    given = [sheet("calls.csv", CALLS), sheet("agents.csv", PEOPLE), sheet("plan.csv", plan)]
    found = gather(shape(Profile("UTC", parts), given).tables, Reading.of("UTC"), lambda *_: None)[0]["staffing"]
    return [
        (agent, start.strftime("%d %H:%M"), end.strftime("%d %H:%M"))
        for agent, start, end in found.sort("agent_id", "start_at").iter_rows()
    ]


def grid(**more: Any) -> Part:
    return Part("shifts", ("plan.csv",), {"agent_id": Copied("Agent")}, dates="dmy", **more)


def test_a_grid_of_days_with_spans_codes_and_absences() -> None:
    plan = {
        "Agent": ["Peter Lang", "2"], "Mo 02.03.2026": ["8-12:30", "F"],
        "Di 03.03.2026": ["08:00-10:00 11:00-12:00", "frei"],
        "Mi 04.03.2026": ["22:00-06:00", None],
    }  # fmt: skip
    assert staffing(grid(values={"cells": {"f": "06:00-14:00"}}), plan) == [
        ("1", "02 08:00", "02 12:30"), ("1", "03 08:00", "03 10:00"), ("1", "03 11:00", "03 12:00"),
        ("1", "04 22:00", "05 06:00"), ("2", "02 06:00", "02 14:00"),
        # Took a call on the 3rd although free: 9:00 for a minute.
        ("2", "03 09:00", "03 09:01"),
    ]  # fmt: skip


def test_weeks_below_each_other_and_days_without_a_year() -> None:
    plan = {
        "Agent": ["Lang, Peter", "Groß, Anna", "KW 11", "Groß, Anna"], "02.03.": ["8-12", None, "09.03.", "10-12"],
        "03.03.": [None, "8-12", "10.03.", "krank"],
    }  # fmt: skip
    assert staffing(grid(), plan) == [
        ("1", "02 08:00", "02 12:00"), ("2", "03 08:00", "03 12:00"), ("2", "09 10:00", "09 12:00"),
    ]  # fmt: skip


def test_rows_of_numbers_under_a_plan_are_counts() -> None:
    plan = {
        "Agent": ["1", "2", "Anzahl", "Soll"],
        "02.03.2026": ["8-12", None, "1", "2"],
        "03.03.2026": [None, "9-13", "1", "2"],
    }
    assert staffing(grid(), plan) == [("1", "02 08:00", "02 12:00"), ("2", "03 09:00", "03 13:00")]


def test_the_order_of_days_is_the_one_of_the_contacts_where_nobody_says_it() -> None:
    part = Part("shifts", ("plan.csv",), {"agent_id": Copied("Agent")})
    worked = [("1", "02 08:00", "02 12:00"), ("2", "03 09:00", "03 13:00")]
    for first, second in (("03/02", "03/03"), ("02/03", "03/03"), ("03/02/2026", "03/03/2026")):
        plan = {"Agent": ["1", "2"], first: ["8-12", None], second: [None, "9-13"]}
        assert staffing(part, plan) == worked


def test_a_legend_is_no_file_that_was_not_read() -> None:
    legend = sheet("legend.xlsx", {"Code": ["F", "S"], "Zeit": ["6-14", "14-22"]})
    other = sheet("other.xlsx", {"Code": ["F", "X"]})
    parts = (Part("interactions", ("calls.csv",), CALLS_FROM), grid(values={"cells": {"f": "6-14", "S": "14-22"}}))
    plan = sheet("plan.csv", {"Agent": ["Peter Lang"], "02.03.2026": ["F"]})
    shaped = shape(Profile("UTC", parts), [sheet("calls.csv", CALLS), plan, legend, other])
    assert [said.split(":")[0] for said in shaped.assumptions if "nothing of it was read" in said] == ["other.xlsx"]


def test_days_down_and_agents_across() -> None:
    part = Part("shifts", ("plan.csv",), {"date": Copied("Tag")}, dates="dmy", unused=("KW",))
    plan = {
        "KW": ["10", "10"],
        "Tag": ["02.03.2026", "03.03.2026"],
        "Peter Lang": ["8-12", "off"],
        "Anna Groß": ["-", "9-13"],
    }
    worked = [("1", "02 08:00", "02 12:00"), ("2", "03 09:00", "03 13:00")]
    assert staffing(part, plan) == worked
    assert staffing(part, plan | {"Tag": ["Mo 02.03.", "Di 03.03."]}) == worked
    assert staffing(part, plan | {"Tag": [datetime(2026, 3, 2), datetime(2026, 3, 3)]}) == worked
    with pytest.raises(InvalidTable, match=r"^plan\.csv: no shift was read in it"):
        staffing(part, plan | {"Tag": ["früh", "spät"]})


def test_a_code_that_nobody_explained_is_refused_with_its_cell() -> None:
    plan = {"Agent": ["Peter Lang", "Anna Groß"], "02.03.2026": ["8-12", "F3"], "03.03.2026": ["S7", "8-12"]}
    with pytest.raises(InvalidTable) as refused:
        staffing(grid(), plan)
    said = "\n".join(refused.value.problems)
    assert "plan.csv, row 3, column \"02.03.2026\": 'F3': must be a shift such as 08:00-16:30" in said
    assert "plan.csv, row 2, column \"03.03.2026\": 'S7'" in said


def test_rows_of_shifts_with_breaks_over_night() -> None:
    columns: dict[str, From] = {
        "agent_id": Copied("Agent"), "start_at": Joined("Tag", "Von"), "end_at": Joined("Tag", "Bis"),
        "breaks": Copied("Pause"),
    }  # fmt: skip
    plan = {
        "Agent": ["1", "Groß, Anna", "2", "1"], "Tag": ["02.03.2026", "03.03.2026", "04.03.2026", "05.03.2026"],
        "Von": ["08:00", "08:00", "22:00", "00:00"], "Bis": ["12:00", "16:00", "06:00", "00:00"],
        "Pause": [None, "30", "00:30-01:00", "0:30"],
    }  # fmt: skip
    part = Part("staffing", ("plan.csv",), columns, dates="dmy")
    assert staffing(part, plan) == [
        ("1", "02 08:00", "02 12:00"), ("1", "05 00:00", "05 11:45"), ("1", "05 12:15", "06 00:00"),
        # Half an hour in the middle of 8 to 16.
        ("2", "03 08:00", "03 11:45"), ("2", "03 12:15", "03 16:00"),
        ("2", "04 22:00", "05 00:30"), ("2", "05 01:00", "05 06:00"),
    ]  # fmt: skip


def test_a_break_from_two_columns_lies_within_its_shift() -> None:
    columns: dict[str, From] = {
        "agent_id": Copied("who"), "start_at": Joined("day", "from"), "end_at": Joined("day", "to"),
        "breaks": Between("break from", "break to"),
    }  # fmt: skip
    plan = {
        "who": ["1", "2"], "day": ["2026-03-02", "2026-03-03"], "from": ["08:00", "20:00"], "to": ["12:00", "04:00"],
        "break from": [None, "23:45"], "break to": [None, "00:15"],
    }  # fmt: skip
    part = Part("staffing", ("plan.csv",), columns)
    assert staffing(part, plan)[-2:] == [("2", "03 20:00", "03 23:45"), ("2", "04 00:15", "04 04:00")]
    with pytest.raises(InvalidTable, match=r'plan\.csv, row 2, column "break from \+ break to": .* within its shift'):
        staffing(part, plan | {"break from": ["13:00", "23:45"], "break to": ["13:30", "00:15"]})


def test_a_plan_in_utc_stays_so_and_its_rows_are_named() -> None:
    columns: dict[str, From] = {"agent_id": Copied("who"), "start_at": Copied("from"), "end_at": Copied("to")}
    plan = {"who": ["1"], "from": ["2026-03-02T08:00:00Z"], "to": ["2026-03-02T12:00:00Z"]}
    assert staffing(Part("staffing", ("plan.csv",), columns), plan)[0] == ("1", "02 08:00", "02 12:00")
    calls = CALLS | {"at": ["2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z"]}
    parts = (Part("interactions", ("calls.csv",), CALLS_FROM), Part("staffing", ("plan.csv",), columns))
    far = plan | {"from": ["1926-03-02T08:00:00Z"]}
    shaped = shape(Profile(None, parts), [sheet("calls.csv", calls), sheet("plan.csv", far)])
    with pytest.raises(InvalidTable, match=r'^plan\.csv, row 2, column "from": .* must be a time'):
        gather(shaped.tables, Reading.of(None), lambda *_: None)


def test_a_plan_of_other_days_is_refused() -> None:
    with pytest.raises(InvalidTable) as refused:
        staffing(grid(), {"Agent": ["Peter Lang"], "06.09.2025": ["8-12"], "07.09.2025": ["8-12"]})
    assert refused.value.problems == (
        "plan.csv: its days, 2025-09-06 to 2025-09-07, are none of those with contacts, 2026-03-02 to 2026-03-03; give "
        "the plan of those days, or leave it out",
    )


def test_activities_of_a_schedule_are_on_queue_break_or_away() -> None:
    columns: dict[str, From] = {
        "agent_id": Copied("who"), "start_at": Copied("from"), "end_at": Copied("to"), "activity": Copied("what")
    }  # fmt: skip
    plan = {
        "who": ["1"] * 3, "from": ["2026-03-02 08:00", "2026-03-02 10:00", "2026-03-02 12:00"],
        "to": ["2026-03-02 12:00", "2026-03-02 10:15", "2026-03-02 13:00"], "what": ["On Queue", "Break", "Training"],
    }  # fmt: skip
    meant = {"on queue": "on_queue", "break": "break", "training": "away"}
    part = Part("staffing", ("plan.csv",), columns, values={"activity": meant})
    assert staffing(part, plan)[:2] == [("1", "02 08:00", "02 10:00"), ("1", "02 10:15", "02 12:00")]


def test_a_day_and_a_span_in_one_cell() -> None:
    columns: dict[str, From] = {"agent_id": Copied("who"), "date": Copied("day"), "span": Copied("shift")}
    part = Part("staffing", ("plan.csv",), columns, values={"cells": {"F": "6-14", "x": ""}})
    plan = {
        "who": ["1", "1", "2"],
        "day": ["2026-03-02", "2026-03-03", "2026-03-03"],
        "shift": ["F", "x", "8:00-12:00"],
    }
    assert staffing(part, plan) == [("1", "02 06:00", "02 14:00"), ("2", "03 08:00", "03 12:00")]


DAY = datetime(2026, 3, 2)


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes))


def spells(*rows: tuple[str, str, str]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [(agent, at(start), at(end)) for agent, start, end in rows],
        schema={"agent_id": pl.String, "start_at": pl.Datetime("us"), "end_at": pl.Datetime("us")}, orient="row",
    )  # fmt: skip
    return frame.with_row_index("row")


def clocks(frame: pl.DataFrame) -> list[tuple[str, str, str]]:
    ordered = frame.sort("agent_id", "start_at").select("agent_id", "start_at", "end_at")
    return [(agent, f"{start:%H:%M}", f"{end:%H:%M}") for agent, start, end in ordered.iter_rows()]


def test_breaks_are_cut_out_in_as_many_pieces_as_they_leave() -> None:
    breaks = spells(
        ("a", "09:00", "09:30"), ("a", "09:10", "09:15"), ("a", "09:20", "09:25"), ("a", "11:30", "13:00"),
        ("b", "08:00", "09:00"),
    )  # fmt: skip
    cut = without(spells(("a", "08:00", "12:00"), ("b", "09:00", "10:00")), breaks.drop("row"))
    assert clocks(cut) == [
        ("a", "08:00", "09:00"), ("a", "09:30", "11:30"), ("b", "09:00", "10:00"),
    ]  # fmt: skip


def test_the_longest_pause_of_a_long_shift_is_its_break() -> None:
    services = spells(
        ("a", "08:05", "11:00"), ("a", "11:10", "12:00"), ("a", "12:50", "14:00"), ("a", "14:12", "16:20"),
        ("b", "09:00", "10:00"), ("b", "11:00", "12:00"),
    ).drop("row")  # fmt: skip
    notes = Notes()
    found = fit_to_log(spells(("a", "08:00", "16:30"), ("b", "09:00", "14:00")), services, notes)
    # From 12:00 to 12:50 nothing was taken: the middle half hour. The shift of b has under 6 hours.
    assert clocks(found) == [("a", "08:00", "12:10"), ("a", "12:40", "16:30"), ("b", "09:00", "14:00")]
    assert "its middle 30 minutes at most, 1 breaks of 0 hours in all" in notes.assumptions[0]


def test_pauses_that_do_not_stand_out_are_no_breaks() -> None:
    # Pauses of 20, 20 and 25 minutes.
    services = spells(
        ("a", "08:05", "11:00"), ("a", "11:20", "12:00"), ("a", "12:20", "14:00"), ("a", "14:25", "16:20")
    )
    notes = Notes()
    assert clocks(fit_to_log(spells(("a", "08:00", "16:30")), services.drop("row"), notes)) == [("a", "08:00", "16:30")]
    assert "the log shows none" in notes.assumptions[0]


def test_a_plan_with_breaks_of_its_own_gets_no_others() -> None:
    plan = spells(("a", "08:00", "12:00"), ("a", "12:30", "16:30"), ("b", "08:00", "16:00"))
    services = spells(("b", "08:00", "11:00"), ("b", "12:00", "16:00")).drop("row")
    # As many shifts with a gap as without one: the plan is not taken for one that names them.
    assert clocks(fit_to_log(plan, services, Notes()))[-2:] == [("b", "08:00", "11:15"), ("b", "11:45", "16:00")]
    more = pl.concat([plan, spells(("c", "08:00", "12:00"), ("c", "12:30", "16:30"))])
    assert clocks(fit_to_log(more, services, Notes()))[2] == ("b", "08:00", "16:00")


def test_a_shift_in_which_nothing_was_taken_is_left_out_and_work_outside_is_added() -> None:
    calls = [("b", f"{8 + n // 6}:{n % 6}0", f"{8 + n // 6}:{n % 6}5") for n in range(24)]
    services = spells(*calls, ("a", "18:00", "18:05"), ("a", "18:10", "18:20"), ("a", "19:00", "19:05")).drop("row")
    notes = Notes()
    plan = spells(("a", "08:00", "12:00"), ("b", "08:00", "12:00"), ("c", "08:00", "12:00"))
    found = fit_to_log(plan, services, notes)
    # a took nothing of 8 to 12 while b took 24; c is named nowhere in the log, which says nothing of c.
    assert clocks(found) == [
        ("a", "18:00", "18:20"), ("a", "19:00", "19:05"), ("b", "08:00", "12:00"), ("c", "08:00", "12:00"),
    ]  # fmt: skip
    assert [said.split(",")[0] for said in notes.assumptions] == ["1 planned shifts", "2 spells"]


def test_services_are_joined_across_a_quarter_of_an_hour() -> None:
    services = spells(
        ("a", "08:00", "08:05"), ("a", "08:20", "08:25"), ("a", "08:41", "08:45"), ("b", "08:00", "08:01")
    )
    assert clocks(joined(services.drop("row"))) == [
        ("a", "08:00", "08:25"), ("a", "08:41", "08:45"), ("b", "08:00", "08:01"),
    ]  # fmt: skip
