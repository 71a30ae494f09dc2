"""A profile and sheets to tables: what cells mean, whose rows they are, and where a refusal points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.errors import InvalidTable, MissingInput
from ingest.exports.profile.profile import (
    Between,
    Copied,
    Filled,
    From,
    Joined,
    Named,
    Part,
    Profile,
    Same,
    Shifted,
    Spread,
    Summed,
)
from ingest.exports.shaping import shape
from ingest.files.frames import Framed
from ingest.files.gathering import gather
from ingest.files.reading import Reading
from ingest.sheets.sheet import Sheet

CALLS: dict[str, list[str | None]] = {
    "Zeit": ["02.03.2026 08:00:26", "02.03.2026 08:04:16", "13.03.2026 09:00:00"],
    "Schlange": ["Rechnung", "Technik", "Rechnung"],
    "Agent": ["Lang, Peter", None, "Groß, Anna"],
    "Ergebnis": ["beantwortet", "aufgelegt", "beantwortet"],
    "Wartezeit": ["00:00:12", "00:05:23", "00:00:00"],
    "Gespräch": ["00:03:00", None, "00:02:00"],
    "Nacharbeit": ["00:00:28", None, None],
    "ID": ["c1", "c2", "c3"],
}
PEOPLE = {"Nr": [1001, 1002], "Name": ["Peter Lang", "Anna Groß"], "Skills": ["Rechnung (3), Technik", "Rechnung (5)"]}
CALLS_FROM: dict[str, From] = {
    "arrived_at": Copied("Zeit"), "queue_id": Copied("Schlange"), "agent_id": Copied("Agent"),
    "outcome": Copied("Ergebnis"), "wait_s": Copied("Wartezeit"), "handle_s": Summed(("Gespräch", "Nacharbeit")),
    "interaction_id": Copied("ID"),
}  # fmt: skip
PEOPLE_FROM: dict[str, From] = {"agent_id": Copied("Nr"), "agent_name": Copied("Name"), "skills": Copied("Skills")}
MEANT = {"outcome": {"beantwortet": "answered", "aufgelegt": "abandoned"}}


def sheet(name: str, columns: Mapping[str, Any], rows: Sequence[int] | None = None) -> Sheet:
    """A sheet whose first row under the header is row 2."""
    frame = pl.DataFrame(columns, strict=False)
    numbers = np.arange(2, 2 + frame.height) if rows is None else np.array(rows)
    return Sheet(name, (Path(name),), frame, numbers, "made")


def calls(**changed: Any) -> Sheet:
    return sheet("export.csv", CALLS | changed)


def profile(*more: Part, columns: Mapping[str, From] | None = None, **part: Any) -> Profile:
    given = {"values": MEANT} | part
    return Profile(
        "Europe/Berlin",
        (
            Part("interactions", ("export.csv",), columns or CALLS_FROM, **given),
            Part("agents", ("agents.xlsx",), PEOPLE_FROM),
            *more,
        ),
    )


def tables(given: Profile, *sheets: Sheet) -> dict[str, pl.DataFrame]:
    """All tables as an import would write them."""
    return gather(shape(given, sheets).tables, Reading.of(given.time_zone), lambda *_: None)[0]


def test_copied_and_summed_columns_under_the_ids_of_agents() -> None:
    found = tables(profile(), calls(), sheet("agents.xlsx", PEOPLE))
    rows = found["interactions"]
    # 08:00:26 in Berlin is 07:00:26 UTC in winter; 3:00 and 0:28 are 208 s.
    assert rows["arrived_at"][0] == datetime(2026, 3, 2, 7, 0, 26, tzinfo=UTC)
    assert rows["agent_id"].to_list() == ["1001", None, "1002"]
    assert rows["outcome"].to_list() == ["answered", "abandoned", "answered"]
    assert rows["wait_s"].to_list() == [12.0, 323.0, 0.0]
    assert rows["handle_s"].to_list() == [208.0, None, 120.0]
    assert found["agents"]["skills"].to_list()[0] == [
        {"name": "Rechnung", "proficiency": 3.0}, {"name": "Technik", "proficiency": 5.0},
    ]  # fmt: skip


def test_a_slash_between_skills_that_are_queues_of_the_log_separates_them() -> None:
    """`Rechnung / Technik` of one agent; nobody has Technik alone, but contacts are of it."""
    people = PEOPLE | {"Skills": ["Rechnung / Technik", "Rechnung"]}
    held = tables(profile(), calls(), sheet("agents.xlsx", people))["agents"]["skills"].to_list()
    assert [[entry["name"] for entry in entries] for entries in held] == [["Rechnung", "Technik"], ["Rechnung"]]


def test_a_handling_time_of_nothing_of_an_unanswered_contact_is_none() -> None:
    given = calls(Gespräch=["00:03:00", "00:00:00", "00:00:00"], Nacharbeit=["00:00:28", "00:00:00", "00:00:00"])
    shaped = shape(profile(), [given, sheet("agents.xlsx", PEOPLE)])
    assert gather(shaped.tables, Reading.of("Europe/Berlin"), lambda *_: None)[0]["interactions"][
        "handle_s"
    ].to_list() == [208.0, None, 0.0]
    assert shaped.repairs == {"interactions: handling times of 0 s of contacts that nobody answered, which are none": 1}


def test_times_from_two_columns_and_from_later_ones() -> None:
    given = sheet(
        "export.csv",
        {
            "Tag": ["02.03.2026", "13.03.2026"], "Uhr": ["08:00", "09:30"], "Schlange": ["R", "R"],
            "Angenommen": ["02.03.2026 08:00:20", None], "Ende": ["02.03.2026 08:05:00", "13.03.2026 09:31:00"],
            "Wer": [1001, None],
        },
    )  # fmt: skip
    columns: dict[str, From] = {
        "arrived_at": Joined("Tag", "Uhr"), "queue_id": Copied("Schlange"), "agent_id": Copied("Wer"),
        "wait_s": Between(start="Angenommen", end="Ende"), "outcome": Filled("Wer", "answered", "abandoned"),
        "media": Same("voice"),
    }  # fmt: skip
    found = tables(profile(columns=columns, dates="dmy"), given, sheet("agents.xlsx", PEOPLE))["interactions"]
    assert found["arrived_at"].to_list() == [
        datetime(2026, 3, 2, 7, 0, tzinfo=UTC), datetime(2026, 3, 13, 8, 30, tzinfo=UTC),
    ]  # fmt: skip
    assert found["wait_s"].to_list() == [280.0, None]
    assert found["outcome"].to_list() == ["answered", "abandoned"]
    assert found["interaction_id"].to_list() == ["1", "2"]


def test_arrival_is_the_answer_less_the_wait() -> None:
    given = sheet(
        "export.csv", {"Answered": ["2026-03-02 08:05:23"], "Wait": ["0:05:23"], "Q": ["R"], "Who": ["Anna Groß"]}
    )
    columns: dict[str, From] = {
        "arrived_at": Shifted("Answered", less=("Wait",)), "queue_id": Copied("Q"), "agent_id": Copied("Who"),
        "wait_s": Copied("Wait"),
    }  # fmt: skip
    found = tables(profile(columns=columns), given, sheet("agents.xlsx", PEOPLE))["interactions"]
    assert found["arrived_at"].to_list() == [datetime(2026, 3, 2, 7, 0, tzinfo=UTC)]


def test_handling_is_what_is_left_of_the_whole_and_what_follows_it() -> None:
    given = sheet(
        "export.csv",
        {"Tag": ["02.03.2026"] * 3, "Start": ["08:00", "23:59", "09:00"], "Q": ["R"] * 3, "Who": ["1001"] * 3,
         "Answered": ["08:00:20", "00:00:30", None], "End": ["08:05", "00:10", "09:01"],
         "Duration": [300, 660, None], "Wait": [20, 90, 60], "ACW": [30, None, None]},
    )  # fmt: skip
    columns: dict[str, From] = {
        "arrived_at": Joined("Tag", "Start"), "queue_id": Copied("Q"), "agent_id": Copied("Who"),
        "wait_s": Between("Start", "Answered", otherwise="End"),
        "handle_s": Between("Answered", "End", plus=("ACW",)), "acw_s": Summed(("Duration",), less=("Wait",)),
    }  # fmt: skip
    rows = tables(profile(columns=columns, dates="dmy"), given, sheet("agents.xlsx", PEOPLE))["interactions"]
    rows = rows.sort("interaction_id")
    # Over midnight: from 23:59:00 to 0:00:30 are 90 s. Nobody answered the third, which ended after a minute.
    assert rows["wait_s"].to_list() == [20.0, 90.0, 60.0]
    assert rows["handle_s"].to_list() == [280.0 + 30.0, 570.0, None]
    assert rows["acw_s"].to_list() == [280.0, 570.0, None]


def test_a_wait_from_our_own_arrival_to_a_whole_time_or_a_clock() -> None:
    given = sheet(
        "export.csv",
        {"Tag": ["02.03.2026"] * 2, "Uhr": ["08:00", "23:59:50"], "Q": ["R"] * 2,
         "Beginn": ["02.03.2026 08:00:20", "03.03.2026 00:00:05"], "Ende": ["08:05:00", "00:01:05"]},
    )  # fmt: skip
    columns: dict[str, From] = {
        "arrived_at": Joined("Tag", "Uhr"), "queue_id": Copied("Q"), "wait_s": Between("arrived_at", "Beginn"),
        "handle_s": Between("Beginn", "Ende"),
    }  # fmt: skip
    rows = tables(profile(columns=columns, dates="dmy"), given, sheet("agents.xlsx", PEOPLE))["interactions"]
    assert rows.select("wait_s", "handle_s").rows() == [(20.0, 280.0), (15.0, 60.0)]


def test_levels_of_another_scale_are_brought_to_five() -> None:
    people = PEOPLE | {"Skills": ["Rechnung (8), Technik (10)", "Rechnung (1)"]}
    shaped = shape(profile(), [calls(), sheet("agents.xlsx", people)])
    found = gather(shaped.tables, Reading.of("Europe/Berlin"), lambda *_: None)[0]["agents"]["skills"]
    assert [[each["proficiency"] for each in skills] for skills in found.to_list()] == [[4.0, 5.0], [0.5]]
    assert any("levels of skills run from 0 to 10" in said for said in shaped.assumptions)


def test_skills_in_columns_of_their_own_and_names_in_two() -> None:
    people = {
        "Vorname": ["Peter", "Anna"], "Nachname": ["Lang", "Groß"], "Nr": ["a", "b"], "Rechnung": ["x", None],
        "Technik": ["3", "0"],
    }  # fmt: skip
    columns: dict[str, From] = {
        "agent_id": Copied("Nr"), "agent_name": Named(("Vorname", "Nachname")),
        "skills": Spread(("Rechnung", "Technik")),
    }  # fmt: skip
    given = profile()
    given = Profile("Europe/Berlin", (given.parts[0], Part("agents", ("agents.xlsx",), columns)))
    found = tables(given, calls(), sheet("agents.xlsx", people))["agents"]
    assert found["agent_name"].to_list() == ["Peter Lang", "Anna Groß"]
    assert [[tuple(each.values()) for each in skills or []] for skills in found["skills"].to_list()] == [
        [("Rechnung", 5.0), ("Technik", 3.0)], [],
    ]  # fmt: skip


def test_refusals_name_file_row_and_column_as_the_files_do() -> None:
    given = calls(
        Wartezeit=["abc", "00:05:23", "00:00:00"], ID=["c1", "c2", "c2"], Ergebnis=["beantwortet", "weg", "weg"]
    )
    with pytest.raises(InvalidTable) as refused:
        tables(profile(), given, sheet("agents.xlsx", PEOPLE))
    text = "\n".join(refused.value.problems)
    assert "export.csv, row 2, column \"Wartezeit\": 'abc': must be a duration" in text
    assert "export.csv, row 3, column \"Ergebnis\": 'weg': must be one of answered" in text
    assert "export.csv, row 4, column \"ID\": 'c2'" in text


def test_rows_of_files_that_were_joined_are_named_by_their_own_file() -> None:
    whole = calls(Wartezeit=["00:00:12", "00:05:23", "abc"])
    parts = (("2026-02.csv", 2), ("2026-03.csv", 1))
    given = Sheet(whole.name, whole.paths, whole.frame, np.array([2, 3, 2]), "made", parts=parts)
    with pytest.raises(InvalidTable, match=r"^2026-03\.csv, row 2, column \"Wartezeit\": 'abc'"):
        tables(profile(), given, sheet("agents.xlsx", PEOPLE))


def test_rows_of_a_second_part_and_a_second_block_are_named_by_their_own_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.files.frames._MOST_ROWS", 2)
    later = {name: cells if name != "ID" else ["d1", "d2", "c3"] for name, cells in CALLS.items()}
    later |= {"Wartezeit": ["00:00:12", "bald", "00:00:00"]}
    more = Part("interactions", ("chats.csv",), CALLS_FROM, values=MEANT)
    given = [calls(), sheet("chats.csv", later), sheet("agents.xlsx", PEOPLE)]
    with pytest.raises(InvalidTable, match=r'^chats\.csv, row 3, column "Wartezeit": \'bald\''):
        tables(profile(more), *given)
    sound = sheet("chats.csv", later | {"Wartezeit": ["00:00:12", None, "00:00:01"]})
    with pytest.raises(InvalidTable, match=r'^chats\.csv, row 4, column "?(ID|interaction_id)"?: \'c3\''):
        tables(profile(more), calls(), sound, given[2])


def test_a_near_miss_is_a_question_with_its_rows() -> None:
    given = calls(Agent=["Lang, Petre", None, "Lang, Petre"])
    with pytest.raises(InvalidTable) as refused:
        tables(profile(), given, sheet("agents.xlsx", PEOPLE))
    assert refused.value.problems == (
        "export.csv, row 2, column \"Agent\": 'Lang, Petre': is nobody of the agents; is Peter Lang (1001) meant? "
        'Say so in the profile under [people], "Lang, Petre" = "1001" (2 rows have this, also 4)',
    )
    settled = Profile("Europe/Berlin", profile().parts, people={"Lang, Petre": "1001"})
    assert tables(settled, given, sheet("agents.xlsx", PEOPLE))["interactions"]["agent_id"].to_list() == [
        "1001", None, "1001",
    ]  # fmt: skip


def test_a_list_of_other_people_is_refused() -> None:
    others = PEOPLE | {"Name": ["Ute Abel", "Tom Berg"]}
    with pytest.raises(
        InvalidTable, match=r'^export\.csv, column "Agent": none of its 2 names \(Lang, Peter, Groß, Anna\)'
    ):
        tables(profile(), calls(), sheet("agents.xlsx", others))
    # What cannot be read is told first.
    with pytest.raises(InvalidTable) as refused:
        tables(profile(), calls(Wartezeit=["bald", None, None]), sheet("agents.xlsx", others))
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        'export.csv, row 2, column "Wartezeit"', 'export.csv, column "Agent"',
    ]  # fmt: skip


def test_addresses_tell_who_is_meant_and_are_not_kept() -> None:
    people = {"Mail": ["peter.lang@example.org", "a.gross@example.org"], "Name": ["Peter Lang", "Anna Groß"]}
    columns: dict[str, From] = {"agent_id": Copied("Mail"), "agent_name": Copied("Name")}
    given = Profile("Europe/Berlin", (profile().parts[0], Part("agents", ("agents.xlsx",), columns)))
    log = calls(Agent=["PETER.LANG@example.org", "ute.abel@example.org", "Groß, Anna"])
    shaped = shape(given, [log, sheet("agents.xlsx", people)])
    agents, interactions = (shaped.tables[name] for name in ("agents", "interactions"))
    assert isinstance(agents, Framed)
    assert isinstance(interactions, Framed)
    assert "email" not in agents.frame.columns
    assert agents.frame["agent_id"].to_list() == ["Peter Lang", "Anna Groß"]
    assert interactions.frame["agent_id"].to_list() == ["Peter Lang", "Ute Abel", "Anna Groß"]


def test_durations_beyond_all_measure_are_refused_and_end_nothing() -> None:
    given = sheet("export.csv", CALLS | {"Gespräch": [1e300, None, 1.0], "Nacharbeit": [None, None, None]})
    with pytest.raises(InvalidTable, match=r'^export\.csv, row 2, column "Gespräch \+ Nacharbeit"'):
        tables(profile(), given, sheet("agents.xlsx", PEOPLE))


def test_cells_that_say_nothing_are_empty_and_nobody_answered() -> None:
    columns = CALLS_FROM | {"outcome": Filled("Agent", "answered", "abandoned")}
    found = tables(profile(columns=columns), calls(Agent=["Lang, Peter", "n/a", "-"]), sheet("agents.xlsx", PEOPLE))
    assert found["interactions"].select("agent_id", "outcome").rows() == [
        ("1001", "answered"), (None, "abandoned"), (None, "abandoned"),
    ]  # fmt: skip


def test_people_who_left_are_named_where_many_contacts_are_theirs() -> None:
    given = calls(Agent=["Lang, Peter", None, "Abel, Ute"])
    with pytest.raises(InvalidTable) as refused:
        tables(profile(), given, sheet("agents.xlsx", PEOPLE))
    assert refused.value.problems == (
        'export.csv, column "Agent": 1 of 2 answered contacts (50.0 %) name agents who are not in agents.xlsx: Abel, '
        "Ute; add them there, or leave that file out: agents are then made from the names in the log",
    )


def test_without_a_list_agents_are_those_of_the_log_with_the_skills_they_used() -> None:
    given = profile(columns=CALLS_FROM | {"skills": Copied("Schlange")})
    shaped = shape(Profile("Europe/Berlin", given.parts[:1]), [calls()])
    found = gather(shaped.tables, Reading.of("Europe/Berlin"), lambda *_: None)[0]
    assert found["agents"]["agent_id"].to_list() == ["Lang, Peter", "Groß, Anna"]
    assert found["agents"]["skills"].to_list()[0] == [{"name": "Rechnung", "proficiency": 5.0}]
    assert any("no list of agents was given" in said for said in shaped.assumptions)
    # Nobody answered in Technik, and nobody has its skill.
    assert found["members"].select("queue_id", "agent_id").rows() == [
        ("Rechnung", "Lang, Peter"), ("Rechnung", "Groß, Anna"),
    ]  # fmt: skip


def test_languages_that_no_list_has_are_those_of_contacts_answered_in_them() -> None:
    people = PEOPLE | {"Sprachen": ["Deutsch (4)", None]}
    columns = PEOPLE_FROM | {"languages": Copied("Sprachen")}
    spoken: dict[str, From] = CALLS_FROM | {"language": Copied("Sprache")}
    given = Profile(
        "Europe/Berlin",
        (Part("interactions", ("export.csv",), spoken, values=MEANT), Part("agents", ("agents.xlsx",), columns)),
    )
    found = tables(given, calls(Sprache=["Deutsch", "Deutsch", "Englisch"]), sheet("agents.xlsx", people))["agents"]
    assert [[tuple(each.values()) for each in spoken] for spoken in found["languages"].to_list()] == [
        [("Deutsch", 4.0)], [("Englisch", 5.0)],
    ]  # fmt: skip


def test_queues_bring_goals_and_media_under_their_names() -> None:
    queues = {
        "Nr": ["q1", "q2"],
        "Name": ["rechnung", "Technik"],
        "Ziel": ["80/20", "90 % / 30 s"],
        "Medium": ["voice", "Chat"],
    }
    columns: dict[str, From] = {
        "queue_id": Copied("Nr"), "queue_name": Copied("Name"), "service_level": Copied("Ziel"),
        "media": Copied("Medium"), "opening_hours": Copied("Medium"),
    }  # fmt: skip
    part = Part("queues", ("queues.xlsx",), columns, values={"media": {"chat": "chat"}})
    shaped = shape(profile(part), [calls(), sheet("agents.xlsx", PEOPLE), sheet("queues.xlsx", queues)])
    found = gather(shaped.tables, Reading.of("Europe/Berlin"), lambda *_: None)[0]
    assert found["interactions"].select("queue_id", "media").rows() == [
        ("q1", "voice"),
        ("q2", "chat"),
        ("q1", "voice"),
    ]
    assert found["queues"].select("service_level_share", "service_level_s").rows() == [(0.8, 20.0), (0.9, 30.0)]
    assert any("opening_hours is not used" in said for said in shaped.assumptions)


def test_a_part_that_no_file_fits_lists_those_given() -> None:
    with pytest.raises(MissingInput, match=r"takes agents from agents\.xlsx.*given: export\.csv;"):
        shape(profile(), [calls()])


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    without = {name: cells for name, cells in CALLS.items() if name != "Wartezeit"}
    with pytest.raises(
        InvalidTable, match=r"export\.csv: the profile reads a column 'Wartezeit'.*found Zeit, Schlange"
    ):
        shape(profile(), [sheet("export.csv", without), sheet("agents.xlsx", PEOPLE)])


def test_a_table_without_what_it_is_about_is_refused() -> None:
    columns = {name: source for name, source in CALLS_FROM.items() if name != "queue_id"}
    with pytest.raises(InvalidTable, match=r"^export\.csv: the profile names no column for queue_id of interactions"):
        tables(profile(columns=columns), calls(), sheet("agents.xlsx", PEOPLE))


def test_rows_of_another_kind_and_rows_that_stand_twice_are_left_out_and_counted() -> None:
    twice: dict[str, list[str | None]] = {name: [*cells, cells[0], cells[1]] for name, cells in CALLS.items()}
    twice["Richtung"] = ["ein", "ein ", "EIN", "ein", "aus"]
    given = profile(only={"Richtung": ("Ein",)})
    shaped = shape(given, [sheet("export.csv", twice), sheet("agents.xlsx", PEOPLE)])
    found = gather(shaped.tables, Reading.of("Europe/Berlin"), lambda *_: None)[0]
    assert found["interactions"]["interaction_id"].to_list() == ["c1", "c2", "c3"]
    assert shaped.repairs == {
        "interactions: rows of another kind, left out as the profile says": 1,
        "interactions: rows wholly equal to one before, left out": 1,
    }
