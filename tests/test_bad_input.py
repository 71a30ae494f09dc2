"""Bad CSV files give one clear line with file, row, column, value and remedy, and leave nothing behind."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from engine.errors import InvalidScenario, InvalidTable, SnapshotExists, UnknownName
from ingest.files import import_files, read_table
from ingest.snapshot.reading import open_snapshot
from tests.small_files import AGENTS, GOOD, INTERACTIONS, MEMBERS, refused, says, write

SECOND = "2024-03-04T09:00:05Z"
SHORT = "id,queue_id,arrived_at,{}\ni1,q1,2024-03-04T09:00:00Z,{}\n"

# One slip in a good file: table, what stands there, what stands there instead, what the first line says.
SLIPS = [
    (
        "interactions",
        SECOND,
        "2024-03-04T09:00:05",
        "arrived_at: '2024-03-04T09:00:05' ... zone ... --time-zone",
    ),
    ("interactions", SECOND, "2024-03-04", "row 3, column arrived_at: '2024-03-04' ... 2024-03-01T09:30:00Z"),
    ("interactions", SECOND, "2024-02-30T09:00:05Z", "row 3, column arrived_at: ... must be a time"),
    ("interactions", SECOND, "yesterday", "row 3, column arrived_at: 'yesterday': must be a time"),
    ("interactions", SECOND, "2024-03-04T09:00:05+24:00", "row 3, column arrived_at: ... must be a time"),
    ("interactions", SECOND, "2024-03-04T09:60:05Z", "row 3, column arrived_at: ... must be a time"),
    ("interactions", SECOND, "2924-03-04T09:00:05Z", "row 3, column arrived_at: ... 1970 to 2199"),
    ("interactions", "i2,q1", "i2,", "row 3, column queue_id: nothing: must not be empty"),
    ("interactions", "i2,q1", "i1,q1", "row 3, column interaction_id: 'i1': stands there already"),
    ("interactions", "en,3,", "en,5:00,", "row 2, column wait_s: '5:00': must be in seconds"),
    (
        "interactions",
        "2024-03-04T09:00:00Z",
        "2024-03-04 09:00",
        "column arrived_at: ... the seconds are missing",
    ),
    ("interactions", "2024-03-04T09:00:00Z", "04.03.2024 09:00", "row 2, column arrived_at: ... begin with the year"),
    ("interactions", "2024-03-04T09:00:00Z", "3/4/2024 9:00", "row 2, column arrived_at: ... begin with the year"),
    (
        "interactions",
        "2024-03-04T09:00:00Z",
        "2024-03-04",
        "column arrived_at: ... this is a day without a time",
    ),
    ("interactions", "en,3,", "en,soon,", "row 2, column wait_s: 'soon': must be a number"),
    ("interactions", "en,3,", "en,3,5,", "row 2: 'i1,q1, ... 8 values where the header names 7 ... point"),
    ("interactions", ",150", ",-150", "row 3, column handle_s: -150.0: must be at least 0"),
    ("interactions", ",150", ",NaN", "row 3, column handle_s: nan: must be a finite number"),
    ("interactions", ",150", ",inf", "row 3, column handle_s: inf: must be a finite number"),
    ("interactions", ",150", ",1e999", "row 3, column handle_s: inf: must be a finite number"),
    ("interactions", ",150", ",=1+1", "row 3, column handle_s: '=1+1': must be a number"),
    ("interactions", "tech,fr", "tech;,fr", "row 3, column skills: 'tech;': an entry is empty"),
    ("interactions", "tech,fr", "tech,en;fr", "row 3, column language: 'en;fr' ... one language"),
    ("interactions", "arrived_at", "arrived", "column arrived_at is missing; ... did you mean arrived?"),
    ("agents", "a2,", "  ,", "row 3, column agent_id: nothing: must not be empty"),
    ("agents", "a2,", "a1,", "row 3, column agent_id: 'a1': stands there already"),
    ("agents", "a2,", " a1 ,", "row 3, column agent_id: 'a1': stands there already"),
    ("agents", "a2", "a" * 5000, "row 3, column agent_id: ... longer than 1000 bytes"),
    ("agents", "a2", 'a"2', "row 3: a double quote stands inside a value"),
    ("agents", "a2", '"a"2', "row 3: a double quote stands inside a value"),
    ("agents", "a2", '"a2', "row 3: a double quote is opened and never closed"),
    ("agents", "a2", "a\0002", "row 3: a NUL byte"),
    ("agents", "billing:5", "billing:7", "row 2, column skills: ... from 0 to 5"),
    ("agents", "billing:5", "billing:-1", "row 2, column skills: ... from 0 to 5"),
    (
        "agents",
        "billing:5",
        "billing:high",
        "row 2, column skills: 'billing:high;tech:3.5' ... as in billing:5",
    ),
    ("agents", "billing:5", "billing:", "row 2, column skills: 'billing:;tech:3.5' ... has no proficiency"),
    ("agents", "billing:5", ":5", "row 2, column skills: ':5;tech:3.5': an entry has no name"),
    ("agents", "tech:3.5", "billing:3", "row 2, column skills: ... names each name once"),
    ("agents", "en;fr", "en;;fr", "row 3, column languages: 'en;;fr': an entry has no name"),
    ("agents", "agent_id", "agentid", "column agent_id is missing; ... did you mean agentid? Rename it"),
    ("agents", "agent_id,skills", "name,skills", "column agent_id is missing; found name, skills, languages"),
    ("agents", "languages", "agent_id", "agents.csv: column agent_id stands twice; keep one"),
    ("agents", "languages", "id", "agents.csv: columns agent_id and id both mean agent_id; keep one"),
    ("agents", "\na2,tech,en;fr", "\na2", "row 3: 'a2': 1 values where the header names 3"),
    ("agents", "\na2,tech", "\na2,tech,x,y", "row 3: 'a2,tech,x,y,en;fr': 5 values where the header names 3"),
    (
        "members",
        "q1,a1,1,true\n",
        "q1,a1,1,true\nq1,a1,2,\n",
        "row 3, column queue_id+agent_id: 'q1, a1'",
    ),
    ("members", ",1,true", ",1.5,true", "row 2, column ring: '1.5': must be a whole number"),
    ("members", ",1,true", ",7,true", "row 2, column ring: 7: must be at most 6"),
    ("members", ",1,true", ",1e20,true", "row 2, column ring: '1e20': must be a whole number"),
    ("members", ",1,true", ",1,maybe", "row 2, column joined: 'maybe': must be true or false"),
    ("queues", "ALL", "MOST", "row 2, column evaluation_method: 'MOST': must be one of ALL, BEST"),
    ("queues", "0.8", "80", "row 2, column service_level_share: 80.0: must be at most 1"),
    ("surveys", ",4,", ",9,", "row 2, column score: 9.0: must lie within"),
    ("surveys", ",4,1,5", ",5,5,5", "row 2, column scale_max: 5.0: must be greater than scale_min"),
    ("surveys", "scale_min", "low", "surveys.csv: column scale_min is missing; ... for example 1"),
    ("staffing", "T16:", "T07:", "row 2, column end_at: ... must be later than start_at"),
    ("busy", "T10:30:00Z", "T10:00:00Z", "row 2, column end_at: ... must be later than start_at"),
    ("handle_factors", "1.2", "0", "row 2, column factor: 0.0: must be at least 0.01"),
]

# A file that is wrong as a whole: table, content, what the first line says.
WHOLE = [
    ("agents", "agent_id,capacity\na1,voice\n", "row 2, column capacity: 'voice' ... as in voice:1;chat:4"),
    (
        "agents",
        "agent_id,capacity\na1,fax:1\n",
        "row 2, column capacity: 'fax:1': media must be one of voice",
    ),
    (
        "agents",
        "agent_id,capacity\na1,chat:0.5\n",
        "row 2, column capacity: 'chat:0.5': counts must be whole",
    ),
    (
        "interactions",
        SHORT.format("preferred", "a1:9;a2"),
        "column preferred: 'a1:9;a2' ... as in a1:90;a2:75",
    ),
    ("interactions", SHORT.format("media", "fax"), "row 2, column media: 'fax': must be one of voice"),
    (
        "interactions",
        SHORT.format("outcome", "lost"),
        "row 2, column outcome: 'lost': must be one of answered",
    ),
    ("agents", AGENTS.split("\n", 1)[1], "column agent_id is missing; found a1, billing:5;tech:3.5"),
    ("agents", "", "agents.csv: the file is empty"),
    ("agents", "\n\r\n\n", "agents.csv: the file has no lines"),
    ("agents", "agent_id,skills\n", "agents.csv: there is a header but no row; add rows"),
    ("interactions", INTERACTIONS.split("\n")[0], "interactions.csv: there is a header but no row"),
    ("members", "queue_id,agent_id\n", "members.csv: there is a header but no row; ... leave the file out"),
    ("agents", b"PK\x03\x04" + bytes(99), "agents.csv: the workbook or zip archive is damaged ... copy it again"),
    ("agents", b"\x1f\x8b" + bytes(99), "agents.csv: cannot be unpacked as gzip ... copy or save it again"),
    ("agents", ",".join(f"c{i}" for i in range(2000)), "agents.csv: 2000 columns in the header"),
    ("agents", '"' + "x" * 200_000 + '"\na1\n', "row 1: the header cannot be read"),
]


def first_line(folder: Path, table: str, content: str | bytes) -> str:
    contents = {"agents": AGENTS, "interactions": INTERACTIONS} | {table: content}
    line = refused(folder / "store", write(folder, **contents))[0]
    assert line.startswith(f"{table}.csv") and len(line) < 500
    return line


@pytest.mark.parametrize("case", SLIPS, ids=lambda case: f"{case[0]}-{case[2][:30]}")
def test_one_slip_is_refused_with_place_value_and_remedy(case: tuple[str, ...], tmp_path: Path) -> None:
    table, good, bad, wanted = case
    assert good in GOOD[table]
    line = first_line(tmp_path, table, GOOD[table].replace(good, bad, 1))
    assert says(line, wanted), line


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: f"{case[0]}-{case[2][:30]}")
def test_useless_file_is_refused_with_remedy(case: tuple[Any, ...], tmp_path: Path) -> None:
    table, content, wanted = case
    line = first_line(tmp_path, table, content)
    assert says(line, wanted), line


def test_the_good_files_of_these_cases_are_taken(tmp_path: Path) -> None:
    manifest = import_files(tmp_path / "store", "good", **write(tmp_path, **GOOD))
    assert manifest.rows["interactions"] == 2 and manifest.rows["busy"] == 1 and not manifest.repairs


def test_missing_files_are_named_together(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    paths = {"agents": tmp_path / "nobody.csv", "interactions": tmp_path / "folder.csv"}
    lines = refused(tmp_path / "store", paths)
    assert "nobody.csv: there is no such file" in lines[0] and "folder.csv: is a directory" in lines[1]


WRITTEN = [
    (
        ".csv",
        AGENTS.replace("en;fr", '"en;fr"').replace(",", ";").replace("billing:5;tech:3.5", '"billing:5;tech:3.5"'),
    ),
    (".csv", AGENTS.replace(",", "\t")),
    (".csv", AGENTS.replace("\n", "\r")),
    (".csv", AGENTS.encode("utf-16")),
    (".csv", AGENTS.encode("utf-16-le")),
    (".txt", AGENTS),
    ("", AGENTS),
    (".csv.gz", gzip.compress(AGENTS.encode())),
]


@pytest.mark.parametrize("ending, content", WRITTEN, ids=lambda each: repr(each)[:24])
def test_other_delimiters_encodings_and_endings_give_the_same_table(ending: str, content: Any, tmp_path: Path) -> None:
    path, plain = tmp_path / f"agents{ending}", tmp_path / "plain.csv"
    plain.write_text(AGENTS)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_frame_equal(read_table("agents", path), read_table("agents", plain))


def test_a_workbook_gives_the_same_table_and_its_rows_are_told_by_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "agents.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        for row, cells in enumerate([["agent_id", "skills"], [1001, "tech:7"]], 1):
            sheet.write_row(row, 0, cells)
    with pytest.raises(InvalidTable, match=r"agents.xlsx, row 3, column skills: 'tech:7.*': .* from 0 to 5"):
        read_table("agents", path)


def test_local_time_that_was_skipped_is_refused(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=AGENTS, interactions=INTERACTIONS.replace(SECOND, "2024-03-31T02:30:00"))
    lines = refused(tmp_path / "store", paths, time_zone="Europe/Belgrade")
    assert says(lines[0], "row 3, column arrived_at: '2024-03-31T02:30:00': does not exist in Europe/Belgrade")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "+01:00", "CET\0"])
def test_unknown_time_zone_is_refused(zone: str, tmp_path: Path) -> None:
    paths = write(tmp_path, agents=AGENTS, interactions=INTERACTIONS)
    with pytest.raises(UnknownName, match="IANA name"):
        import_files(tmp_path, "x", **paths, time_zone=zone)


def test_queues_of_agents_and_members_exclude_each_other(tmp_path: Path) -> None:
    paths = write(tmp_path, agents="agent_id,queues\na1,q1\n", interactions=INTERACTIONS, members=MEMBERS)
    assert "column queues and a file of members are both given" in refused(tmp_path / "store", paths)[0]


def test_name_that_is_taken_or_no_name_is_refused_before_reading(tmp_path: Path) -> None:
    store = tmp_path / "store"
    import_files(store, "x", **write(tmp_path, agents=AGENTS, interactions=INTERACTIONS))
    nowhere = {"agents": tmp_path / "nobody.csv", "interactions": tmp_path / "nothing.csv"}
    with pytest.raises(SnapshotExists):
        import_files(store, "x", **nowhere)
    with pytest.raises(InvalidScenario):
        import_files(store, "../x", **nowhere)
    assert [path.name for path in store.iterdir()] == ["x"]


def test_unknown_table_is_refused() -> None:
    with pytest.raises(UnknownName, match="there are agents, members"):
        read_table("agent", Path("agents.csv"))


def test_numbers_and_times_of_other_countries_are_read_where_the_file_has_their_delimiters(tmp_path: Path) -> None:
    """09:00 in Berlin in March is 08:00 UTC; 12,5 is twelve and a half; 0:05:30 are 330 seconds."""
    text = "interaction_id;queue_id;arrived_at;wait_s;handle_s\nr1;q1;10.03.2026 09:00;12,5;0:05:30\n"
    path = tmp_path / "interactions.csv"
    path.write_text(text + "r2;q1;10.03.2026 09:04;8,0;0:03:35\n")
    import_files(
        tmp_path / "store",
        "x",
        agents=write(tmp_path, agents=AGENTS)["agents"],
        interactions=path,
        time_zone="Europe/Berlin",
    )
    rows = (
        open_snapshot(tmp_path / "store", "x").table("interactions").select("arrived_at", "wait_s", "handle_s").rows()
    )
    assert rows == [
        (datetime(2026, 3, 10, 8, minute, tzinfo=UTC), *cells) for minute, *cells in ((0, 12.5, 330), (4, 8, 215))
    ]
    path.write_text(text.replace("10.03.2026", "10/03/2026"))
    with pytest.raises(InvalidTable, match=r"row 2, column arrived_at: '10/03/2026 09:00': .* begin with the year"):
        read_table("interactions", path)


@pytest.mark.parametrize(
    ("arrived", "waits", "meant"),
    [
        # As a spreadsheet writes them without being told otherwise: no seconds, h:mm:ss.
        (("2026-03-10 09:00", "2026-03-10 09:04"), ("00:00:12", "0:01:08"), (12, 68)),
        # A day above 12 says that the month comes first; plain seconds beside h:mm:ss.
        (("03/10/2026 9:00:00 AM", "03/13/2026 9:04:00 AM"), ("0:03:20", "8"), (200, 8)),
        (("10.03.2026 09:00", "13.03.2026 09:04"), ('"12,5"', '"8,0"'), (12.5, 8)),
        (("2026-03-10T09:00:00", "2026-03-10T09:04:00"), ("3:20.5", "0:08"), (200.5, 8)),
        (("2026-03-10 09:00", "2026-03-10 09:04"), ("PT12S", "5 min"), (12, 300)),
    ],
)
def test_forms_that_the_whole_column_settles_are_taken(
    arrived: tuple[str, str], waits: tuple[str, str], meant: tuple[float, float], tmp_path: Path
) -> None:
    """By our own names and with commas; 9:00 in Berlin is 8:00 UTC in March."""
    path = tmp_path / "interactions.csv"
    rows = [f"r{i},service,{at},{wait}" for i, (at, wait) in enumerate(zip(arrived, waits, strict=True))]
    path.write_text("\n".join(["interaction_id,queue_id,arrived_at,wait_s", *rows]) + "\n")
    found = read_table("interactions", path, "Europe/Berlin")
    days = [10, 13 if "13" in arrived[1] else 10]
    assert found["arrived_at"].to_list() == [
        datetime(2026, 3, day, 8, minute, tzinfo=UTC) for day, minute in zip(days, (0, 4), strict=True)
    ]
    assert found["wait_s"].to_list() == list(meant)


@pytest.mark.parametrize(
    ("arrived", "wait", "said"),
    [
        ("10/03/2026 09:00", "3", "row 2, column arrived_at: '10/03/2026 09:00': .* begin with the year"),
        ("2026-03-10 09:00", "5:00", "row 2, column wait_s: '5:00': must be in seconds: 0:03:20 is 200, 5:00 is 300"),
        ("2026-03-10", "3", "row 2, column arrived_at: '2026-03-10': .* this is a day without a time"),
        ("2026-03-10 09:00", "soon", "row 2, column wait_s: 'soon': must be a number, as in 12.5"),
    ],
)
def test_what_stays_open_stays_refused_in_the_same_words(arrived: str, wait: str, said: str, tmp_path: Path) -> None:
    """Two orders, minutes or hours, no time of day; a column that is settled beside it is not complained of."""
    path = tmp_path / "interactions.csv"
    path.write_text(f"interaction_id,queue_id,arrived_at,wait_s\nr1,service,{arrived},{wait}\n")
    with pytest.raises(InvalidTable, match=said) as error:
        read_table("interactions", path, "Europe/Berlin")
    assert len(error.value.problems) == 1


def test_a_sheet_of_a_workbook_is_named_behind_its_file(tmp_path: Path) -> None:
    """What is none of its rows is said with the import."""
    path = tmp_path / "centre.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        for title, rows in {
            "Agents": [["Staff"], ["agent_id", "group"], ["a1", "x"], ["a2", "x"]],
            "Other": [["x"], ["y"]],
        }.items():
            sheet = workbook.add_worksheet(title)
            for place, cells in enumerate(rows):
                sheet.write_row(place, 0, cells)
    paths = write(tmp_path, interactions=INTERACTIONS) | {"agents": Path(f"{path}#agents")}
    manifest = import_files(tmp_path / "store", "good", **paths)
    assert manifest.rows["agents"] == 2
    assert "centre.xlsx#Agents: 1 row above the header" in manifest.assumptions
    with pytest.raises(InvalidTable, match=r"holds several tables \(centre.xlsx#Agents, .*\); name one of them, as in"):
        read_table("agents", path)
    with pytest.raises(InvalidTable, match=r"no sheet is called 'Agnts'; did you mean centre.xlsx#Agents"):
        read_table("agents", Path(f"{path}#Agnts"))
