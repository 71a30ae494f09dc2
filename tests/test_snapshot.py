"""Snapshots are whole or absent, keep what they were given, and notice any change."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.data.encode import encode
from engine.data.history import History
from engine.data.tables import TABLES
from engine.errors import CorruptSnapshot, InvalidScenario, InvalidTable, SnapshotExists, UnknownName
from engine.run import choose
from engine.spec import Scenario
from ingest.snapshot import store as stores
from ingest.snapshot.manifest import MOST_BYTES
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.verifying import verify
from ingest.snapshot.writing import SnapshotWriter
from tests.small_snapshot import START, agents, interactions, write


def test_what_goes_in_comes_out(tmp_path):
    write(tmp_path)
    found = open_snapshot(tmp_path, "s").table("interactions")
    given = interactions()
    same = ["interaction_id", "queue_id", "arrived_at", "language", "priority", "agent_id", "handle_s"]
    expected = given.select(same).cast({"arrived_at": TABLES["interactions"]["arrived_at"].dtype})
    assert_frame_equal(found.select(same), expected)
    assert found["skills"].to_list() == [None if s is None else sorted(s) for s in given["skills"].to_list()]
    assert found["outcome"].unique().to_list() == ["unknown"]


def test_one_file_per_utc_day(tmp_path):
    write(tmp_path)
    days = sorted(p.stem for p in (tmp_path / "s" / "interactions").iterdir())
    assert days == ["2026-03-01", "2026-03-02"]


def test_however_it_is_split_the_content_is_the_same(tmp_path):
    """A merged snapshot equals its parts: same rows, call types and choices, even as new names turn up mid-day."""
    frame = interactions()
    write(tmp_path, "whole")
    write(tmp_path, "parts", [frame[:1], frame[1:2], frame[2:17], frame[17:]])
    whole, parts = open_snapshot(tmp_path, "whole"), open_snapshot(tmp_path, "parts")
    for name in TABLES:
        assert_frame_equal(whole.table(name), parts.table(name))
    assert whole.manifest.dictionaries == parts.manifest.dictionaries
    scenario = Scenario()
    assert_frame_equal(choose(scenario, whole.arrays()).to_frame(), choose(scenario, parts.arrays()).to_frame())
    assert_frame_equal(choose(scenario, whole.arrays()).to_frame(), choose(scenario, encode(whole.tables())).to_frame())


def test_outcomes_of_a_snapshot_say_queue_media_and_arrival(tmp_path):
    """Codes of files, columns of tables and rows of a window are the same media; where none is said it is voice."""
    media = [["chat", "voice", None, "email"][n % 4] for n in range(50)]
    frame = interactions().with_columns(media=pl.Series(media, dtype=pl.String))
    write(tmp_path, "s", [frame[:20], frame[20:]])
    found = open_snapshot(tmp_path, "s")
    outcomes = choose(Scenario(), found.arrays()).to_frame()
    assert outcomes["media"].to_list() == [each or "voice" for each in media]
    assert outcomes["queue_id"].to_list() == frame["queue_id"].to_list()
    assert outcomes["arrived_at"].to_list() == frame["arrived_at"].to_list()
    assert_frame_equal(outcomes, choose(Scenario(), encode(found.tables())).to_frame())
    day = found.arrays().days(date(2026, 3, 2), None)
    assert_frame_equal(choose(Scenario(), day).to_frame(), outcomes.filter(pl.col("arrived_at").dt.day() == 2))


def test_equal_content_has_equal_id(tmp_path):
    assert write(tmp_path, "one") == write(tmp_path, "two")
    assert write(tmp_path, "three", [interactions(49)]) != write(tmp_path, "four")


def test_codes_stay_the_same_in_all_files(tmp_path):
    """A code read from any day means the text that the manifest gives it."""
    from pyarrow import ipc

    write(tmp_path)
    texts = open_snapshot(tmp_path, "s").manifest.dictionaries["queue_id"]
    for path in (tmp_path / "s" / "interactions").iterdir():
        dictionary = ipc.open_file(str(path)).read_all()["queue_id"].chunk(0).dictionary.to_pylist()
        assert dictionary == texts[: len(dictionary)]


def test_polars_reads_every_file_alone(tmp_path):
    write(tmp_path, frames=[interactions()[:3], interactions()[3:]])
    total = sum(pl.read_ipc(p).height for p in (tmp_path / "s" / "interactions").iterdir())
    assert total == 50


def test_taken_names_are_refused_and_replaced_on_request(tmp_path):
    first = write(tmp_path)
    with pytest.raises(SnapshotExists, match="--replace"):
        write(tmp_path, frames=[interactions(5)])
    assert open_snapshot(tmp_path, "s").manifest.id == first
    assert write(tmp_path, frames=[interactions(5)], replace=True) != first
    assert open_snapshot(tmp_path, "s").manifest.rows["interactions"] == 5


def test_a_folder_that_is_no_snapshot_is_never_replaced(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "thesis.txt").write_text("years of work")
    with pytest.raises(CorruptSnapshot, match="no snapshot; choose another --name"):
        write(tmp_path, replace=True)
    assert (tmp_path / "s" / "thesis.txt").read_text() == "years of work"


def test_a_reader_keeps_what_it_opened(tmp_path):
    write(tmp_path)
    pinned = open_snapshot(tmp_path, "s")
    write(tmp_path, frames=[interactions(5)], replace=True)
    assert pinned.table("interactions").height == 50
    stores.delete(tmp_path, "s")
    assert sum(batch.call_type.size for batch in pinned.arrays().batches()) == 50


def test_a_failed_import_leaves_nothing(tmp_path):
    bad = interactions().with_columns(handle_s=pl.lit(-1.0))
    with pytest.raises(InvalidTable, match="handle_s"):
        write(tmp_path, frames=[interactions(5), bad])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_killed_half_way_leaves_no_snapshot_and_is_tidied(tmp_path):
    """Kill -9 in the middle of writing: nothing visible, and the next command removes the rest."""
    script = """
        import os, signal, sys
        from pathlib import Path
        from ingest.snapshot.writing import SnapshotWriter
        from tests.small_snapshot import agents, interactions
        with SnapshotWriter(Path(sys.argv[1]), "s", source={}, time_zone="UTC") as writer:
            writer.add("agents", agents())
            writer.add_interactions(interactions())
            os.kill(os.getpid(), signal.SIGKILL)
    """
    root = Path(__file__).parents[1]
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(tmp_path)], cwd=root, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert [p.name.endswith(".partial") for p in tmp_path.iterdir()] == [True]
    assert stores.names(tmp_path) == []
    assert stores.manifests(tmp_path) == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_a_replacement_killed_between_its_two_renames_is_put_back(tmp_path):
    write(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    (tmp_path / "s").rename(tmp_path / f".s.{ended.stdout.strip()}-0123abcd.old")
    assert open_snapshot(tmp_path, "s").manifest.rows["interactions"] == 50


def test_while_a_snapshot_is_replaced_the_old_one_can_be_opened(tmp_path):
    """Between the two renames of a running replacement readers still find the name."""
    write(tmp_path)
    (tmp_path / "s").rename(stores.side_folder(tmp_path, "s", "old"))
    assert open_snapshot(tmp_path, "s").manifest.rows["interactions"] == 50


def test_a_running_writer_is_not_tidied_away(tmp_path):
    with SnapshotWriter(tmp_path, "s", source={}, time_zone="UTC") as writer:
        stores.tidy(tmp_path)
        writer.add("agents", agents())
        writer.add_interactions(interactions())
        writer.commit()
    assert verify(tmp_path / "s").rows["interactions"] == 50


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda s: _flip(s / "agents.arrow"), "content differs"),
        (lambda s: _flip(next((s / "interactions").iterdir())), "content differs"),
        (lambda s: (s / "queues.arrow").unlink(), "cannot be read"),
        (lambda s: (s / "members.arrow").write_bytes(b"ARROW1"), "bytes, the manifest says"),
        (lambda s: (s / "extra.arrow").write_bytes(b""), "not listed"),
        (lambda s: (s / "manifest.json").write_text("{"), "not a readable manifest"),
        (lambda s: (s / "manifest.json").unlink(), "not a snapshot"),
        (lambda s: _edit(s, schema_version=99), "schema version 99"),
        (lambda s: _edit(s, id="0" * 64), "do not match its id"),
        (lambda s: _edit(s, dictionaries={"agent_id": ["a1", "a0"]}), "do not match its id"),
        (lambda s: _link(s / "agents.arrow"), "cannot be read"),
        (lambda s: _edit(s, files="x"), "not a readable manifest"),
        (lambda s: _edit(s, time_zone="Mars/X"), "time zone"),
        (lambda s: _edit(s, rows="many"), "another form"),
        (lambda s: _edit(s, rows=dict.fromkeys(TABLES, 7)), "do not match its id"),
        (lambda s: _edit(s, interval={}), "start and end"),
        (lambda s: _edit(s, created="yesterday"), "cannot be read"),
        (lambda s: _edit(s, dictionaries={"agent_id": [1]}), "lists of texts"),
        (lambda s: _edit_file(s, bytes=None), "another form"),
        (lambda s: _edit_file(s, path="../../secret.arrow"), "not one of this folder"),
        (lambda s: _edit_file(s, path="/etc/passwd"), "not one of this folder"),
        (lambda s: _edit_file(s, rows=1), "do not match its id"),
    ],
)
def test_verify_notices_any_harm(tmp_path, harm, says):
    write(tmp_path)
    harm(tmp_path / "s")
    with pytest.raises(CorruptSnapshot, match=says):
        verify(tmp_path / "s")


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _link(path: Path) -> None:
    """The same bytes, but from elsewhere."""
    moved = path.parent.parent / "elsewhere.arrow"
    path.rename(moved)
    path.symlink_to(moved)


def _edit_file(folder: Path, **changes: object) -> None:
    """Change what the manifest says of its first file, with an id that fits."""
    raw = json.loads((folder / "manifest.json").read_text())
    first, *others = raw["files"]
    _edit(folder, files=[first | changes, *others])


def test_rows_out_of_order_are_refused(tmp_path):
    with pytest.raises(InvalidTable, match="order of arrived_at"):
        write(tmp_path, frames=[interactions().reverse()])
    with pytest.raises(InvalidTable, match="order of arrived_at"):
        write(tmp_path, frames=[interactions()[10:], interactions()[:10]])


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "x" * 101, "a b", "ä"])
def test_names_cannot_leave_the_store(tmp_path, name):
    with pytest.raises(InvalidScenario, match="snapshot name"):
        write(tmp_path, name)


def test_unknown_snapshots_name_the_nearest(tmp_path):
    write(tmp_path, "march")
    with pytest.raises(UnknownName, match="did you mean 'march'"):
        open_snapshot(tmp_path, "marhc")
    with pytest.raises(UnknownName, match="known: march"):
        open_snapshot(tmp_path, "zzz")


def test_a_linked_snapshot_is_replaced_and_deleted_without_touching_what_it_links_to(tmp_path):
    write(tmp_path / "far", "s")
    (tmp_path / "near").mkdir()
    for change in (lambda: write(tmp_path / "near", replace=True), lambda: stores.delete(tmp_path / "near", "s")):
        stores_link = tmp_path / "near" / "s"
        stores_link.symlink_to(tmp_path / "far" / "s")
        change()
        if stores_link.exists():
            stores.delete(tmp_path / "near", "s")
        assert list((tmp_path / "near").iterdir()) == []
    assert verify(tmp_path / "far" / "s").rows["interactions"] == 50


def test_two_writers_of_one_name_give_one_snapshot_and_one_refusal(tmp_path):
    with SnapshotWriter(tmp_path, "s", source={}, time_zone="UTC") as slow:
        slow.add("agents", agents())
        first = write(tmp_path)
        with pytest.raises(SnapshotExists):
            slow.commit()
    assert open_snapshot(tmp_path, "s").manifest.id == first
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_a_leftover_of_an_impossible_process_is_tidied(tmp_path):
    (tmp_path / f".s.{10**20}-0123abcd.partial").mkdir()
    assert stores.manifests(tmp_path) == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_nulls_of_a_mapped_file_are_nobody_and_no_time(tmp_path):
    """What lies under a null in a file is arbitrary; it must come out as -1 and NaN, in every batch."""
    write(tmp_path)
    arrays = open_snapshot(tmp_path, "s").arrays()
    agent = [a for batch in arrays.batches() for a in batch.agent.tolist()]
    handle_s = [h for batch in arrays.batches() for h in batch.handle_s.tolist()]
    names = arrays.centre.agent_ids
    given = interactions()
    assert agent == [names.index(a) if a in names else -1 for a in given["agent_id"]]
    assert pl.Series(handle_s).fill_nan(None).to_list() == given["handle_s"].to_list()


def test_a_snapshot_opens_by_folder(tmp_path):
    write(tmp_path)
    assert open_snapshot(Path("nowhere"), str(tmp_path / "s")).manifest.name == "s"


def test_the_newest_is_listed_first_and_a_bad_one_hides_no_other(tmp_path):
    for name in ("b", "bad", "a"):
        write(tmp_path, name)
    _edit(tmp_path / "bad", rows="many")
    found, unreadable = stores.manifests(tmp_path)
    assert [manifest.name for manifest in found] == ["a", "b"]
    assert "bad" in str(unreadable[0])


@pytest.mark.parametrize("place", [8, 1500, 2500, 3500])
@pytest.mark.parametrize("file", ["agents.arrow", "interactions/2026-03-02.arrow"])
def test_a_run_never_reads_changed_bytes(tmp_path, file, place):
    """A single flipped byte of equal size is refused when it is read, not only by verify."""
    write(tmp_path)
    path = tmp_path / "s" / file
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptSnapshot, match="content differs"):
        choose(Scenario(), open_snapshot(tmp_path, "s").arrays())


def test_surveys_find_their_interaction(tmp_path):
    """Each survey is stored with the call type and day of its interaction, for adjusting by call mix."""
    surveys = pl.DataFrame(
        {
            "survey_id": ["s1", "s2", "s3"],
            "interaction_id": ["i0003", None, "nowhere"],
            "agent_id": ["a0", "a1", "a2"],
            "completed_at": [START] * 3,
            "score": [1.0, 2.0, 3.0],
            "scale_min": [1.0] * 3,
            "scale_max": [5.0] * 3,
        }
    )
    with SnapshotWriter(tmp_path, "s", source={}, time_zone="UTC") as writer:
        writer.add("agents", agents())
        writer.add("surveys", surveys)
        writer.add_interactions(interactions())
        writer.commit()
    arrays = open_snapshot(tmp_path, "s").arrays()
    batch = next(iter(arrays.batches()))
    assert arrays.centre.surveys.call_type.tolist() == [batch.call_type[3], -1, -1]
    assert arrays.centre.surveys.day.tolist() == [batch.day, -1, -1]


@pytest.mark.parametrize("said", [{}, {"media": ["chat", "email", "voice", "message"], "outcome": ["abandoned", None]}])
def test_the_history_of_a_snapshot_is_that_of_its_tables(tmp_path, said):
    """Codes of files mean what their texts mean, also where nobody answered or a column was never written."""
    rows = interactions()
    n = rows.height
    more = {name: pl.Series((texts * n)[:n]) for name, texts in said.items()}
    frame = rows.with_columns(agent_id=pl.when(pl.int_range(n) % 3 > 0).then("agent_id"), **more)
    write(tmp_path, frames=[frame[:7], frame[7:]])
    snapshot = open_snapshot(tmp_path, "s")
    found, wanted = snapshot.arrays().history(), encode(snapshot.tables()).history()
    assert (found.agent < 0).any() and (found.agent >= 0).any()
    for field in fields(History):
        mine, theirs = getattr(found, field.name), getattr(wanted, field.name)
        np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
        assert getattr(mine, "dtype", None) == getattr(theirs, "dtype", None)


def test_an_empty_history_is_a_snapshot_too(tmp_path):
    write(tmp_path, frames=[])
    arrays = open_snapshot(tmp_path, "s").arrays()
    assert choose(Scenario(), arrays).to_frame().height == 0
    assert verify(tmp_path / "s").interval == {"start": None, "end": None}


def test_without_agents_there_is_no_snapshot(tmp_path):
    with (
        SnapshotWriter(tmp_path, "s", source={}, time_zone="UTC") as writer,
        pytest.raises(InvalidTable, match="at least one agent"),
    ):
        writer.commit()
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    """300,000 agents of 36 letters are 13 MB of names; a source that says more than all names may be is refused."""
    write(tmp_path)
    before = (tmp_path / "s" / "manifest.json").read_bytes()
    source = {"kind": "test", "said": "x" * MOST_BYTES}
    with SnapshotWriter(tmp_path, "s", source=source, time_zone="UTC", replace=True) as writer:
        writer.add("agents", agents())
        with pytest.raises(InvalidTable, match=r"s/manifest.json: .*larger than.*this cannot be kept"):
            writer.commit()
    assert (tmp_path / "s" / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]


def test_a_centre_of_300_000_agents_is_written_and_read(tmp_path):
    ids = [f"{i:036}" for i in range(300_000)]
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = pl.DataFrame({"interaction_id": ids, "queue_id": "q", "arrived_at": start, "agent_id": ids})
    with SnapshotWriter(tmp_path, "s", source={"kind": "test"}, time_zone="UTC") as writer:
        writer.add("agents", pl.DataFrame({"agent_id": ids}))
        writer.add("members", pl.DataFrame({"queue_id": ["q"], "agent_id": ids[:1]}))
        writer.add_interactions(rows)
        writer.commit()
    assert read_manifest(tmp_path / "s").dictionaries["agent_id"] == ids
