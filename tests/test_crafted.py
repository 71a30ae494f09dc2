"""A snapshot that somebody made up, hashes that fit included, is refused or read right, and never ends the process."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import ipc

from engine.errors import CorruptSnapshot, NotEnoughMemory
from ingest.snapshot.arrow_files import read_plain
from ingest.snapshot.examination.structure import BLOCK, FOOTER_TAIL, _Flat
from ingest.snapshot.manifest import FILE_NAME, MOST_BYTES
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.reading import Snapshot
from ingest.snapshot.verifying import verify
from ingest.snapshot.writing import SnapshotWriter
from ingest.workers import Memory
from tests import crafted

DAY = "interactions/2026-03-01.arrow"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return crafted.write_all(tmp_path_factory.mktemp("store"))


@pytest.fixture
def folder(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "s"))


def test_what_was_written_by_us_is_sound(whole):
    assert crafted.use(whole) == ""
    assert verify(whole).rows["interactions"] == 50


@pytest.mark.parametrize("seed", [1])
def test_no_harm_ends_the_process(whole, tmp_path, seed):
    """Bits, numbers and pieces changed at random; `tests.crafted.fuzz` goes on for as long as somebody likes."""
    shutil.copytree(whole, tmp_path / "s")
    ran = crafted.in_a_child(f"fuzz(Path(sys.argv[1]), {seed}, 60)", tmp_path)
    assert ran.returncode == 0, (ran.stdout[-200:], ran.stderr[-2000:])
    kinds = json.loads(ran.stdout.rpartition("kinds ")[2])
    assert set(kinds) <= {"", "CorruptSnapshot"}
    assert kinds["CorruptSnapshot"] > 10


def _rewritten(path: Path, change, **options) -> None:
    with ipc.open_file(str(path)) as reader:
        table = change(reader.read_all())
    with ipc.new_file(str(path), table.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)


def _column(name, array):
    return lambda table: table.set_column(table.column_names.index(name), name, array(table[name]))


def _indices(table, code):
    column = table["queue_id"].chunk(0)
    raw = pa.array([code] * len(column), pa.int32())
    return pa.DictionaryArray.from_arrays(raw, column.dictionary, safe=False)


def _beyond(column):
    """Offsets of texts that lead behind the end of the values."""
    n = len(column)
    offsets = pa.array([0] * n + [10], pa.int64())
    middle = pa.array([0, *[1 << 40] * (n - 1), 10], pa.int64())
    return pa.Array.from_buffers(
        pa.large_string(), n, [None, (middle if n > 1 else offsets).buffers()[1], pa.py_buffer(b"0123456789")]
    )


@pytest.mark.parametrize(
    ("path", "change", "says"),
    [
        (DAY, lambda t: t.set_column(1, "queue_id", _indices(t, 10**9)), "out of bounds|queue_id"),
        (DAY, lambda t: t.set_column(1, "queue_id", _indices(t, -1)), "out of bounds|queue_id"),
        (DAY, _column("interaction_id", _beyond), "overlap"),
        (DAY, _column("call_type", lambda c: pa.array([77] * len(c), pa.int32())), "call_type: a number outside"),
        (DAY, _column("call_type", lambda c: pa.array([-1] * len(c), pa.int32())), "call_type: a number outside"),
        (DAY, _column("call_type", lambda c: pa.array([0] * len(c), pa.int64())), "call_type: values of another type"),
        (DAY, _column("handle_s", lambda c: pa.array([float("nan")] * len(c))), "handle_s: a number outside"),
        (DAY, _column("handle_s", lambda c: pa.array([-5.0] * len(c))), "handle_s: a number outside"),
        (DAY, _column("handle_s", lambda c: pa.array([1e300] * len(c))), "handle_s: a number outside"),
        (DAY, _column("arrived_at", lambda c: c.take(list(range(len(c)))[::-1])), "arrived_at: rows are out of order"),
        (DAY, lambda t: t.slice(1), "interval|rows"),
        (DAY, lambda t: pa.concat_tables([t, t]), "out of order"),
        (DAY, lambda t: t.append_column("handle_s", t["handle_s"]), "columns are not those"),
        (DAY, lambda t: t.append_column("more", t["handle_s"]), "columns are not those"),
        (DAY, lambda t: t.drop_columns(["call_type"]), "columns are not those"),
        ("interactions/2026-03-02.arrow", lambda t: t.drop_columns(["priority"]), "other columns|another queue"),
        ("agents.arrow", lambda t: pa.concat_tables([t.slice(0, 1)] * 3), "stands there already"),
        ("agents.arrow", _column("agent_id", lambda c: pa.array([1, 2, 3])), "agent_id: values of another type"),
        ("agents.arrow", _column("agent_id", lambda c: c.dictionary_encode()), "agent_id: values of another type"),
        ("members.arrow", _column("ring", lambda c: pa.array([99] * len(c), pa.int32())), "must be at most 6"),
        ("queues.arrow", lambda t: t.set_column(0, "queue_id", pa.array([*"xyz"], pa.large_string())), "queue that"),
        ("call_types.arrow", lambda t: pa.concat_tables([t.slice(0, 1)] * t.num_rows), "stands there twice"),
    ],
)  # fmt: skip
def test_what_a_table_does_not_allow_is_refused(folder, path, change, says):
    _rewritten(folder / path, change)
    crafted.fit(folder)
    found = crafted.use(folder)
    assert found.startswith("CorruptSnapshot: ")
    assert re.search(says, found), found
    with pytest.raises(CorruptSnapshot, match=says):
        verify(folder)


def test_compressed_files_are_refused_before_they_unpack(folder):
    """A few kilobytes of zeros can stand for gigabytes."""
    _rewritten(folder / DAY, lambda table: table, compression="zstd")
    crafted.fit(folder)
    with pytest.raises(CorruptSnapshot, match="it is compressed"):
        Snapshot(folder).table("interactions")


def test_a_batch_that_is_listed_twice_is_refused(folder):
    """A footer of a million entries for one batch would read a small file as a terabyte."""
    path = folder / "interactions" / "2026-03-02.arrow"
    data = path.read_bytes()
    end = len(data) - FOOTER_TAIL
    start = end - int.from_bytes(data[end : end + 4], "little")
    first, second = _Flat.root(memoryview(data)[start:end]).structs(3, BLOCK)
    # Between the numbers of an entry lie four bytes that mean nothing.
    place = data.index(BLOCK.pack(*second)[:12], start)
    path.write_bytes(data[:place] + BLOCK.pack(*first) + data[place + BLOCK.size :])
    assert path.read_bytes() != data
    crafted.fit(folder)
    with pytest.raises(CorruptSnapshot, match="lie in one another"):
        Snapshot(folder).table("interactions")


def test_verify_finds_a_call_type_of_another_queue(folder):
    """Within bounds it harms nobody's memory, but the interaction would be routed as another."""
    _rewritten(folder / DAY, _column("call_type", lambda c: pa.array([0] * len(c), pa.int32())))
    crafted.fit(folder)
    with pytest.raises(CorruptSnapshot, match="call_type: of another queue"):
        verify(folder)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda text: text.replace('"name":', '"name": "x", "name":', 1), "a name is said twice"),
        (lambda text: text.replace('"repairs": {}', '"repairs": {"x": NaN}'), "NaN is no number"),
        (lambda text: text.replace('"kind": "test"', '"kind": ' + "[" * 60 + "]" * 60), "source"),
        (lambda text: text.replace('"kind": "test"', '"kind": ' + "[" * 10**5 + "]" * 10**5), "more than|recursion"),
        (lambda text: text.replace('"kind": "test"', '"kind": 1' + "0" * 30), "source"),
        (lambda text: text.replace('"kind": "test"', '"kind": "\\ud800"'), "source"),
        (lambda text: text.replace('"kind": "test"', f'"kind": "{"x" * MOST_BYTES}"'), "larger than"),
        (lambda text: text.replace('"assumptions": [', '"assumptions": [1, '), "lists of texts"),
        (lambda text: re.sub(r'"created": "[^"]*"', '"created": "2026-03-01T00:00:00"', text), "not in UTC"),
        (lambda text: re.sub(r'"created": "[^"]*"', '"created": "0001-01-01T00:00:00+00:00"', text), "no time of"),
        (lambda text: re.sub(r'"end": "[^"]*"', '"end": "2026-03-09T00:00:00+00:00"', text), "not that of its files"),
        (lambda text: re.sub(r'"start": "2026-03-01T22:00', '"start": "2026-03-01T21:00', text), "order|interval"),
        (lambda text: text.replace('"schema_version": 2', '"schema_version": true'), "schema version"),
        (lambda text: text.replace(f'"path": "{DAY}"', '"path": "interactions/../agents.arrow"'), "not one of this"),
        (lambda text: text.replace(f'"path": "{DAY}"', '"path": "interactions/2026-13-01.arrow"'), "not one of this"),
        (lambda text: text.replace('"voice"', '"smoke"'), "another media"),
    ],
)  # fmt: skip
def test_what_a_manifest_cannot_say_is_refused(folder, edit, says):
    path = folder / FILE_NAME
    said = edit(path.read_text())
    assert said != path.read_text()
    path.write_text(said)
    assert re.search(says, crafted.use(folder)), crafted.use(folder)


def test_a_list_of_files_that_does_not_add_up_is_refused(folder):
    said = json.loads((folder / FILE_NAME).read_text())
    for files in (said["files"][:-1], [*said["files"], said["files"][0]], said["files"][::-1]):
        (folder / FILE_NAME).write_text(json.dumps(said | {"files": files}))
        crafted.fit(folder)
        with pytest.raises(CorruptSnapshot, match=r"do not add up|twice or out of order"):
            read_manifest(folder)


def test_files_changed_while_they_are_open_are_noticed(folder):
    """Cut off under a mapping, a file would end the process that looks at it; what was read before stays as it was."""
    snapshot = Snapshot(folder)
    arrays, agents = snapshot.arrays(), snapshot.table("agents")
    before = agents.to_dicts()
    (folder / DAY).write_bytes(b"short")
    (folder / "agents.arrow").write_bytes(b"")
    with pytest.raises(CorruptSnapshot, match="was changed while it was open"):
        arrays.history()
    with pytest.raises(CorruptSnapshot, match="was changed while it was open"):
        snapshot.table("agents")
    assert agents.to_dicts() == before


def test_other_bytes_of_the_same_size_are_noticed_too(folder):
    snapshot = Snapshot(folder)
    arrays = snapshot.arrays()
    list(arrays.batches())
    data = bytearray((folder / DAY).read_bytes())
    data[400:800] = b"\xff" * 400
    (folder / DAY).write_bytes(data)
    with pytest.raises(CorruptSnapshot, match="content differs"):
        arrays.history()


def test_a_text_behind_many_codes_stands_in_memory_once():
    """A megabyte that 10,000 rows name is no 10 GB."""
    codes, texts = pa.array([0, None] * 5000, pa.int32()), pa.array(["x" * 10**6])
    frame = read_plain(pa.table({"language": pa.DictionaryArray.from_arrays(codes, texts)}))
    assert frame["language"].null_count() == 5000
    assert frame["language"].str.len_bytes().max() == 10**6
    assert frame["language"].n_unique() == 2


def _with_one(table, name, value):
    """A table in which row 3 says something else; the rows above have other ids."""
    column = table[name].combine_chunks()
    codes = column.indices if isinstance(column, pa.DictionaryArray) else column
    said = codes.to_pylist()
    said[3] = said[2] if value is Ellipsis else value
    array = pa.array(said, codes.type)
    if codes is not column:
        array = pa.DictionaryArray.from_arrays(array, column.dictionary)
    return table.set_column(table.column_names.index(name), table.schema.field(name), array)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("queue_id", 1, "call_type: of another queue"),
        ("language", None, "call_type: of another queue"),
        ("priority", 7.0, "call_type: of another queue"),
        ("priority", None, "call_type: of another queue"),
        ("skills", ["tech", "vip"], "call_type: of another queue"),
        ("skills", ["billing", "vip"], "call_type: of another queue"),
        ("skills", None, "call_type: of another queue"),
        ("interaction_id", "", "must not be empty"),
        ("interaction_id", Ellipsis, "stands there already"),
        ("csat", 6.0, "must lie within csat_min and csat_max"),
        ("csat_min", None, "needs csat_min and csat_max"),
        ("csat_max", 0.5, "must lie within csat_min and csat_max"),
        ("preferred", [{"agent_id": "", "score": 50.0}], "each entry needs an agent"),
    ],
)
def test_verify_finds_one_row_that_no_import_lets_in(folder, name, value, says):
    """A quick look at whole columns finds each of them, and a slow one says what is wrong with which row."""
    _rewritten(folder / DAY, lambda table: _with_one(table, name, value))
    crafted.fit(folder)
    with pytest.raises(CorruptSnapshot, match=says):
        verify(folder)


def test_sound_rows_are_looked_at_quickly_alone(whole, monkeypatch):
    """The slow look takes six times as long as hashing, so nothing that we write may need it."""
    monkeypatch.delattr("ingest.snapshot.verifying._check_values")
    seen = []
    verify(whole, lambda *done: seen.append(done))
    assert seen == [("verify", 0, 2), ("verify", 1, 2)]


def test_few_rows_that_would_make_huge_relations_are_refused(tmp_path):
    """9,000 agents and 9,000 queues of 1 MB: 81 million relations of 2 bytes, 155 MiB before any margin."""
    n = 9_000
    with SnapshotWriter(tmp_path, "s", source={"kind": "test"}, time_zone="UTC") as writer:
        writer.add("agents", pl.DataFrame({"agent_id": [f"a{i}" for i in range(n)]}))
        writer.add("queues", pl.DataFrame({"queue_id": [f"q{i}" for i in range(n)]}))
        writer.add("members", pl.DataFrame({"queue_id": ["q1"], "agent_id": ["a1"]}))
        writer.commit()
    snapshot = Snapshot(tmp_path / "s")
    with pytest.raises(NotEnoughMemory, match=r"opening 9,000 agents with 9,000 queues.* needs about 19\d MiB"):
        snapshot.arrays(Memory(most=150 << 20))
    assert snapshot.arrays(Memory(most=250 << 20)).centre.ring.shape == (n, n)
