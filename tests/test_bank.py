"""The bank's published call log goes in, and every row of it is accounted for."""

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidScenario, InvalidTable, MissingInput, SnapshotExists
from ingest.bank import import_bank
from ingest.bank.importing import DROPPED, ODD
from ingest.bank.log import PUBLISHED
from ingest.snapshot.reading import open_snapshot

# A made-up call as the text files write it: 08:00:00 into the menu, 30 s of queue, 100 s with DORIT.
CALL = {
    "vru+line": "AA0101", "call_id": "1", "customer_id": "987654321", "priority": "0", "type": "PS",
    "date": "990103", "vru_entry": "8:00:00", "vru_exit": "8:00:10", "vru_time": "10",
    "q_start": "8:00:10", "q_exit": "8:00:40", "q_time": "30", "outcome": "AGENT",
    "ser_start": "8:00:40", "ser_exit": "8:02:20", "ser_time": "100", "server": "DORIT",
}  # fmt: skip
NO_QUEUE = {"q_start": "0:00:00", "q_exit": "0:00:00", "q_time": "0"}
NO_SERVICE = {"ser_start": "0:00:00", "ser_exit": "0:00:00", "ser_time": "0"}
GAVE_UP = {**NO_SERVICE, "outcome": "HANG", "server": "NO_SERVER"}


def calls(*changes):
    return [{**CALL, "call_id": str(number), **change} for number, change in enumerate(changes, start=1)]


def write(path, rows, header=PUBLISHED, end="\r\n"):
    lines = ["\t".join(header), *("\t".join(row[name] for name in header) for row in rows)]
    path.write_text(end.join(lines) + end)
    return path


def imported(tmp_path, *changes, **options):
    log = write(tmp_path / "january.txt", calls(*changes))
    manifest = import_bank([log], tmp_path / "store", "bank", replace=True, **options)
    return manifest, open_snapshot(tmp_path / "store", "bank")


def visits(snapshot):
    """Interactions by call number."""
    rows = snapshot.table("interactions").to_dicts()
    return {int(row["interaction_id"].split("-")[1].split("#")[0]): row for row in rows}


def reconciles(repairs):
    kept = sum(count for label, count in repairs.items() if label.startswith("dropped"))
    return repairs["rows in the log"] == repairs["interactions"] + kept


def test_every_oddity_is_counted_once_and_the_rows_add_up(tmp_path):
    changes = [
        {},
        {"outcome": "PHANTOM", "server": "NO_SERVER"},
        {"type": "AA"},
        {**GAVE_UP, **NO_QUEUE},
        {"vru_time": "-20", "vru_exit": "7:59:40", "q_start": "7:59:40", "ser_start": "8:00:10"},
        {"outcome": "HANG", "server": "NO_SERVER", "ser_time": "5"},
        {"server": "NO_SERVER"},
        NO_SERVICE,
        {"ser_exit": "8:00:40", "ser_time": "0"},
        {"ser_time": "4"},
        {"ser_time": "3700"},
        {"ser_start": "8:00:50"},
        NO_QUEUE,
    ]
    rows = calls(*changes)
    log = write(tmp_path / "january.txt", [*rows, rows[0]])
    manifest = import_bank([log], tmp_path, "bank")
    counted = [manifest.repairs[label] for label in (*DROPPED, *ODD)]
    assert counted == [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1]
    assert manifest.repairs["rows in the log"] == 14
    assert manifest.repairs["interactions"] == manifest.rows["interactions"] == 10
    assert reconciles(manifest.repairs)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([{}, GAVE_UP, {**GAVE_UP, **NO_QUEUE}, NO_QUEUE, {"type": "AA"}, {"outcome": "PHANTOM"},
                         {"type": "PE", "server": "AVI"}, {**NO_SERVICE, "server": "NO_SERVER"}]),
        min_size=1, max_size=30,
    )
)  # fmt: skip
def test_rows_of_the_log_are_interactions_or_dropped(tmp_path, changes):
    manifest, snapshot = imported(tmp_path, {}, *changes)
    assert reconciles(manifest.repairs)
    assert manifest.repairs["rows in the log"] == len(changes) + 1
    assert snapshot.table("interactions").height == manifest.repairs["interactions"]


def test_each_class_is_ninety_seconds_ahead_of_the_one_below(tmp_path):
    """Class 2 has the documented 1.5 points, class 1 none, and who is not identified comes 90 s behind."""
    _, snapshot = imported(tmp_path, *({"priority": number} for number in "012"))
    assert [visits(snapshot)[number]["priority"] for number in (1, 2, 3)] == [-1.5, 0.0, 1.5]


def test_the_class_of_a_call_that_did_not_queue_is_drawn_from_its_type(tmp_path):
    """The log writes 0 where it does not know; queued calls of the type are all of class 2, those of NW of class 1."""
    direct, other = {**NO_QUEUE, "priority": "0"}, {"type": "NW", "priority": "1"}
    manifest, snapshot = imported(tmp_path, {"priority": "2"}, direct, other, {**direct, **{"type": "NW"}})
    assert [visits(snapshot)[number]["priority"] for number in (1, 2, 3, 4)] == [1.5, 1.5, 0.0, 0.0]
    drawn = "drawn: class of a call that did not queue, from the queued calls of its type"
    assert manifest.repairs[drawn] == 2
    assert any("is drawn from the queued calls of its type" in text for text in manifest.assumptions)


def test_a_call_becomes_a_queue_visit(tmp_path):
    _, snapshot = imported(tmp_path, {"priority": "2"}, GAVE_UP, NO_QUEUE, {"priority": "1"})
    queued, gave_up, direct, plain = (visits(snapshot)[number] for number in (1, 2, 3, 4))
    assert queued["arrived_at"] == datetime(1999, 1, 3, 6, 0, 10, tzinfo=UTC)
    assert (queued["queue_id"], queued["skills"], queued["language"]) == ("regular", ["PS"], "Hebrew")
    assert (queued["outcome"], queued["agent_id"], queued["wait_s"], queued["handle_s"]) == ("answered", "A01", 30, 100)
    assert (queued["priority"], plain["priority"]) == (1.5, 0.0)
    assert (gave_up["outcome"], gave_up["agent_id"], gave_up["wait_s"]) == ("abandoned", None, 30)
    assert gave_up["handle_s"] is None
    # Without a queue the visit starts where the voice menu ended.
    assert (direct["arrived_at"], direct["wait_s"]) == (queued["arrived_at"], 0)


def test_a_service_after_giving_up_counts_for_nobody(tmp_path):
    _, snapshot = imported(tmp_path, {}, {"outcome": "HANG", "server": "RUTI"})
    assert visits(snapshot)[2]["agent_id"] is None
    assert visits(snapshot)[2]["handle_s"] is None
    assert snapshot.table("agents").height == 1


@pytest.mark.parametrize("name", ["[old] log.txt", "*.txt", "?[!a].txt"])
def test_the_name_of_a_log_is_no_pattern(tmp_path, name):
    write(tmp_path / "other.txt", calls({}, {}))
    log = write(tmp_path / name, calls({}))
    assert import_bank([log], tmp_path / "store", "bank").rows["interactions"] == 1


def test_times_past_midnight_belong_to_the_next_day(tmp_path):
    late = {
        "vru_entry": "23:59:50", "vru_exit": "0:00:05", "vru_time": "15", "q_start": "0:00:05", "q_exit": "0:00:35",
        "ser_start": "0:00:35", "ser_exit": "0:02:15",
    }  # fmt: skip
    manifest, snapshot = imported(tmp_path, late, {**late, "q_start": "23:59:55", "q_time": "-86360"})
    assert manifest.repairs["repaired: a time past midnight moved to the next day"] == 2
    assert visits(snapshot)[1]["arrived_at"] == datetime(1999, 1, 3, 22, 0, 5, tzinfo=UTC)
    assert visits(snapshot)[2]["wait_s"] == 40


def test_summer_time_starts_and_ends(tmp_path):
    """In 1999 Israel skipped 02:00 to 03:00 on 2 April and repeated 01:00 to 02:00 on 3 September."""
    skipped = {"date": "990402", "vru_entry": "2:30:00", "q_start": "2:30:10", "q_exit": "2:30:40", **NO_SERVICE}
    repeated = {**skipped, "date": "990903", "vru_entry": "1:30:00", "q_start": "1:30:10", "q_exit": "1:30:40"}
    manifest, snapshot = imported(tmp_path, skipped, repeated, {"date": "990701"})
    at = {number: row["arrived_at"] for number, row in visits(snapshot).items()}
    assert at[1] == datetime(1999, 4, 2, 0, 30, 10, tzinfo=UTC)
    assert at[2] == datetime(1999, 9, 2, 22, 30, 10, tzinfo=UTC)
    assert at[3] == datetime(1999, 7, 1, 5, 0, 10, tzinfo=UTC)
    assert [count for label, count in manifest.repairs.items() if "summer time" in label] == [1, 1]
    assert sum("1 local time that the clock showed twice" in said for said in manifest.assumptions) == 1


def test_english_is_a_language_and_not_a_skill(tmp_path):
    english, regular = [{"type": "PE", "server": "AVI"}] * 20, [{"server": "RUTI"}] * 25
    _, snapshot = imported(tmp_path, *english, *regular)
    first = visits(snapshot)[1]
    assert (first["skills"], first["language"]) == (["PS"], "English")
    levels = {
        row["agent_id"]: [{entry["name"] for entry in row[list_]} for list_ in ("skills", "languages")]
        for row in snapshot.table("agents").to_dicts()
    }
    assert levels == {"A01": [{"PS"}, {"Hebrew"}], "A02": [{"PS"}, {"English", "Hebrew"}]}


def test_skills_are_what_was_done_twenty_times_and_levels_are_fifths_of_the_rank(tmp_path):
    changes = [{"server": f"N{who}"} for who in range(5) for _ in range(24 - who)]
    changes += [{"server": "N0", "type": "NE"}] * 19
    manifest, snapshot = imported(tmp_path, *changes)
    levels = [{s["name"]: s["proficiency"] for s in skills} for skills in snapshot.table("agents")["skills"]]
    assert levels == [{"PS": level} for level in (5, 4, 3, 2, 1)]
    assert any("inferred" in sentence for sentence in manifest.assumptions)


def test_names_and_customers_stay_outside(tmp_path):
    changes = [{"server": "RUTI"}, {"server": "DORIT"}, {"server": " dorit "}, {"server": "AVI"}, {"server": "AVI"}]
    changes += [{"server": "AVI"}]
    manifest, snapshot = imported(tmp_path, *changes)
    assert visits(snapshot)[4]["agent_id"] == "A01"  # AVI answered most
    assert visits(snapshot)[2]["agent_id"] == visits(snapshot)[3]["agent_id"] == "A02"
    assert manifest.repairs["agents' names replaced by codes A01 ... in order of answered calls"] == 3
    files = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()).upper()
    assert not [word for word in (b"DORIT", b"RUTI", b"987654321") if word in files]


def test_the_internet_desk_is_a_queue_when_it_answers(tmp_path):
    changes = [{"type": "IN", "server": "GILI"}] * 21 + [{"server": "RUTI"}] * 22 + [{"type": "IN", "server": "RUTI"}]
    manifest, snapshot = imported(tmp_path, *changes)
    agents = dict(snapshot.table("agents").select("agent_id", "group").iter_rows())
    assert agents == {"A01": "regular", "A02I": "internet"}
    assert visits(snapshot)[1]["queue_id"] == visits(snapshot)[44]["queue_id"] == "internet"
    assert visits(snapshot)[22]["queue_id"] == "regular"
    members = snapshot.table("members").select("queue_id", "agent_id").rows()
    assert sorted(members) == [("internet", "A02I"), ("regular", "A01")]
    assert any("two queues" in sentence for sentence in manifest.assumptions)


EXTRACT = [
    "call,day,arrival_at,vru_s,queue_at,wait_s,service_at,service_s,type,priority,customer,outcome,agent",
    "0,1999-01-03,1999-01-03T08:00:00.000000,10,1999-01-03T08:00:10.000000,30,1999-01-03T08:00:40.000000,100,PS,2,77,AGENT,A07",
    "1,1999-01-03,1999-01-03T08:01:00.000000,10,,,,,PS,0,,HANG,",
    "2,1999-01-03,1999-01-03T08:01:30.000000,10,1999-01-03T08:01:40.000000,20,,,NW,0,,HANG,",
]


def extract(path):
    path.write_text("\n".join(EXTRACT) + "\n")
    return path


def test_text_csv_and_parquet_tell_the_same_story(tmp_path):
    csv = extract(tmp_path / "week.data")
    plain = tmp_path / "plain.csv"
    plain.write_text(csv.read_text().replace(".000000", "").replace("T08", " 08"))
    frame = pl.read_csv(csv, try_parse_dates=True)
    frame.write_parquet(tmp_path / "week.bin")
    waiting = {"vru_entry": "8:01:30", "q_start": "8:01:40", "q_exit": "8:02:00", "q_time": "20", "type": "NW"}
    text = write(tmp_path / "log", calls({"priority": "2"}, {**GAVE_UP, **NO_QUEUE}, {**waiting, **GAVE_UP}))
    tables = []
    for source in (csv, tmp_path / "week.bin", text, plain):
        import_bank([source], tmp_path / "store", source.stem, replace=True)
        tables.append(open_snapshot(tmp_path / "store", source.stem).table("interactions"))
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[3])
    assert tables[0]["agent_id"].to_list() == ["A07", None]  # a code stays
    names = ["interaction_id", "agent_id"]
    assert tables[0].drop(names).equals(tables[2].drop(names))


def test_a_file_given_again_adds_nothing(tmp_path):
    csv = extract(tmp_path / "week.csv")
    again = extract(tmp_path / "again.csv")
    manifest = import_bank([csv, again, csv], tmp_path / "store", "bank")
    assert manifest.rows["interactions"] == 2
    assert manifest.repairs["dropped: the same row stands in the log already"] == 6
    assert reconciles(manifest.repairs)


def test_a_call_number_used_again_gets_a_second_id(tmp_path):
    rows = calls({}, {"vru_entry": "9:00:00", "q_start": "9:00:10", "q_exit": "9:00:40", "ser_start": "9:00:40"})
    rows[1]["call_id"] = "1"
    import_bank([write(tmp_path / "log.txt", rows)], tmp_path, "bank")
    ids = open_snapshot(tmp_path, "bank").table("interactions")["interaction_id"].to_list()
    assert ids == ["990103-1", "990103-1#2"]


def test_equal_seeds_give_equal_snapshots_and_the_seed_only_makes_surveys(tmp_path):
    changes = [{"server": f"N{number % 3}"} for number in range(200)]
    first, one = imported(tmp_path, *changes, seed=4)
    again, _ = imported(tmp_path, *changes, seed=4)
    other, two = imported(tmp_path, *changes, seed=5)
    assert first.id == again.id != other.id
    assert one.table("interactions").equals(two.table("interactions"))
    assert not one.table("surveys").equals(two.table("surveys"))
    assert first.made_up == ("surveys",)
    assert any("made up" in sentence for sentence in first.assumptions)


def test_surveys_follow_their_interactions(tmp_path):
    _, snapshot = imported(tmp_path, *[{"server": f"N{number % 4}"} for number in range(2000)])
    surveys = snapshot.table("surveys").join(
        snapshot.table("interactions"), on="interaction_id", how="left", suffix="_of"
    )
    assert 140 < surveys.height < 270  # about a tenth
    assert (surveys["agent_id"] == surveys["agent_id_of"]).all()
    ended = pl.col("arrived_at") + pl.duration(seconds=pl.col("wait_s") + pl.col("handle_s"))
    assert surveys.select((pl.col("completed_at") > ended).all()).item()


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("outcome", "ANSWERED", "one of AGENT, HANG, PHANTOM"),
        ("type", "regular", "two letters"),
        ("priority", "7", "0, 1 or 2"),
        ("date", "990231", "date like 990101"),
        ("vru_entry", "25:00:00", "clock time"),
        ("q_time", "soon", "whole number"),
        ("ser_time", "90000", "within one day"),
        ("call_id", "", "must not be empty"),
    ],
)
def test_a_bad_value_is_refused_with_its_place(tmp_path, column, value, told):
    log = write(tmp_path / "january.txt", calls({}, {column: value}))
    with pytest.raises(InvalidTable, match=r"january\.txt, row 3, column " + column) as caught:
        import_bank([log], tmp_path / "store", "bank")
    assert told in str(caught.value)
    assert not (tmp_path / "store" / "bank").exists()


def test_all_problems_of_a_file_are_told_together(tmp_path):
    log = write(tmp_path / "january.txt", calls({"priority": "x"}, {"date": "?"}, {"date": "?"}))
    with pytest.raises(InvalidTable) as caught:
        import_bank([log], tmp_path / "store", "bank")
    assert len(caught.value.problems) == 2
    assert "2 rows have this" in str(caught.value)


def refused(tmp_path, *paths, error=InvalidTable):
    with pytest.raises(error) as caught:
        import_bank(paths, tmp_path / "store", "bank")
    return str(caught.value)


def test_other_files_are_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("id,when\n1,2026-01-01\n")
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    with zipfile.ZipFile(tmp_path / "january.zip", "w") as archive:
        archive.writestr("january.txt", "")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    short = write(tmp_path / "short.txt", calls({}), header=PUBLISHED[:-1])
    assert "no bank log" in refused(tmp_path, other)
    assert "no bank log" in refused(tmp_path, empty)
    assert "unpack" in refused(tmp_path, tmp_path / "january.zip")
    assert "column call: missing" in refused(tmp_path, tmp_path / "a.parquet")
    assert "not a readable Parquet file" in refused(tmp_path, tmp_path / "cut.parquet")
    assert "column server: missing" in refused(tmp_path, short)
    assert "no such file" in refused(tmp_path, tmp_path / "nowhere.txt", error=MissingInput)
    assert "no file was given" in refused(tmp_path, error=MissingInput)


def test_a_log_without_anything_to_route_is_refused(tmp_path):
    nobody = write(tmp_path / "nobody.txt", calls(GAVE_UP))
    menu = write(tmp_path / "menu.txt", calls({**GAVE_UP, **NO_QUEUE}))
    assert "names an agent" in refused(tmp_path, nobody)
    assert "no row reached" in refused(tmp_path, menu)
    assert "one or the other" in refused(tmp_path, nobody, extract(tmp_path / "week.csv"))


def test_a_row_with_too_many_cells_is_refused(tmp_path):
    log = write(tmp_path / "january.txt", calls({}, {"server": "DORIT\tRUTI"}))
    assert "does not fit its header" in refused(tmp_path, log)


def test_a_seed_that_cannot_start_draws_is_refused(tmp_path):
    with pytest.raises(InvalidScenario, match="seed -1"):
        imported(tmp_path, {}, seed=-1)


def test_an_existing_name_is_kept(tmp_path):
    log = write(tmp_path / "january.txt", calls({}))
    import_bank([log], tmp_path, "bank")
    with pytest.raises(SnapshotExists):
        import_bank([log], tmp_path, "bank")


def test_progress_is_told_by_phase(tmp_path):
    told = []
    imported(tmp_path, {}, GAVE_UP, progress=lambda *step: told.append(step))
    assert told == [("read", 1, 1), ("write", 2, 2)]


@pytest.fixture(scope="module")
def real_log():
    place = os.environ.get("ROUTELAB_BANK_LOG")
    if not place:
        pytest.skip("ROUTELAB_BANK_LOG is not set: the published log of the bank is not here")
    path = Path(place)
    return sorted(path.glob("*.parquet"))[0] if path.is_dir() else path


def test_the_real_months_reconcile(real_log, tmp_path):
    manifest = import_bank([real_log], tmp_path, "bank")
    assert reconciles(manifest.repairs)
    assert manifest.repairs["interactions"] == manifest.rows["interactions"]
    if manifest.repairs["rows in the log"] != 252_290:
        pytest.skip("ROUTELAB_BANK_LOG is not the extract of January to July 1999, whose counts are known")
    assert [manifest.repairs[label] for label in DROPPED] == [0, 2348, 4, 13_573]
    assert list(manifest.repairs.values())[6:16] == [257, 30, 697, 3198, 329, 498, 12_601, 48, 1645, 78_176]
    assert manifest.rows["interactions"] == 236_365
    assert manifest.rows["agents"] == 32
