"""Small files that unpack to gigabytes are refused at their first rows, with place and remedy and in bounded memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.terminal.cli import run as run_command
from engine.errors import InvalidTable, NotEnoughMemory
from ingest.files.importing import read_table
from ingest.sheets.columnar import arrow_blocks
from ingest.workers import memory
from ingest.workers.memory import MIB, bounded


def repeated(text, n):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text]))


def test_one_text_in_many_rows_is_refused_before_it_is_written_out(tmp_path):
    """262,144 rows of a million bytes would be 262 GB; the file holds the text once."""
    path, n = tmp_path / "members.parquet", 300_000
    pq.write_table(pa.table({"agent_id": repeated("x" * 1_000_000, n), "queue_id": repeated("q", n)}), path)
    assert path.stat().st_size < 2 * MIB
    said = r"members.parquet, row 0: column agent_id unpacks to 262,144,000,000 bytes of text in 262,144 rows; check"
    with pytest.raises(InvalidTable, match=said):
        read_table("members", path)


def test_more_rows_than_fit_are_refused_at_the_first_of_them(tmp_path, monkeypatch):
    """40 M rows of 40 bytes in half a megabyte, and 400 MiB of memory: twice 40 M x 40 bytes are 3,052 MiB."""
    path, part = tmp_path / "members.parquet", 5_000_000
    rows = pa.table({"agent_id": repeated("a" * 20, part), "queue_id": repeated("q" * 20, part)})
    with pq.ParquetWriter(path, rows.schema) as writer:
        for _ in range(8):
            writer.write_table(rows)
    assert path.stat().st_size < MIB
    monkeypatch.setattr(memory.MEMORY, "_most", 400 * MIB)
    said = r"^members.parquet: reading 40,000,000 rows needs about 3,\d+ MiB .* 400 MiB .*; leave out"
    with pytest.raises(NotEnoughMemory, match=said):
        read_table("members", path)


@pytest.mark.parametrize("compression", [None, "zstd"])
def test_one_text_that_no_table_has_is_told_with_its_row(tmp_path, compression):
    path = tmp_path / "members.arrow"
    rows = pa.record_batch({"agent_id": ["a", "b"], "queue_id": ["q", "x" * (4 * MIB)]})
    with pa.ipc.new_file(path, rows.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_batch(rows)
    with pytest.raises(InvalidTable, match=r"row 1: column queue_id holds a text of 4,194,304 bytes, and no value"):
        read_table("members", path)


def test_a_gigantic_list_or_text_is_refused_by_what_the_file_says_of_it(tmp_path):
    """2 M entries in one cell of two rows, over 1,000 a row; 8 MiB in two values, over a mebibyte each."""
    path = tmp_path / "agents.parquet"
    skills = pa.ListArray.from_arrays(pa.array([0, 2_000_000, 2_000_000], pa.int32()), repeated("x", 2_000_000))
    pq.write_table(pa.table({"agent_id": ["a", "b"], "skills": skills}), path, compression="zstd")
    assert path.stat().st_size < MIB
    said = r"agents.parquet, row 0: column skills holds 2,000,001 values in lists of 2 rows, and no table has so many"
    with pytest.raises(InvalidTable, match=said):
        read_table("agents", path)
    pq.write_table(pa.table({"agent_id": ["a", "x" * (8 * MIB)]}), path, compression="zstd", use_dictionary=False)
    said = r"agents.parquet, row 0: column agent_id unpacks to 8,388,\d+ bytes in 2 values, and no value is longer"
    with pytest.raises(InvalidTable, match=said):
        read_table("agents", path)
    # A column that nobody wants is not looked at.
    pq.write_table(pa.table({"agent_id": ["a", "b"], "note": ["", "x" * (8 * MIB)]}), path, use_dictionary=False)
    assert read_table("agents", path).height == 2


def test_large_batches_of_arrow_are_taken_in_parts(tmp_path, monkeypatch):
    """Of 700 rows of 900 bytes at once, 256 of them are 230,400 bytes, over a bound of 200,000."""
    path = tmp_path / "members.arrow"
    rows = pa.record_batch({"agent_id": [f"{i:0900}" for i in range(700)], "queue_id": ["q"] * 700})
    with pa.ipc.new_file(path, rows.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(rows)
    monkeypatch.setattr(arrow_blocks, "BATCH_ROWS", 256)
    assert read_table("members", path)["agent_id"].to_list() == rows["agent_id"].to_pylist()
    monkeypatch.setattr(arrow_blocks, "MOST_TEXT", 200_000)
    with pytest.raises(InvalidTable, match="row 0: column agent_id unpacks to 230,400 bytes of text in 256 rows"):
        read_table("members", path)


def test_values_in_lists_of_a_block_have_a_bound(tmp_path, monkeypatch):
    path = tmp_path / "agents.arrow"
    skills = pa.array([[{"name": "x", "proficiency": 1.0}] * 6, []])
    rows = pa.record_batch({"agent_id": ["a", "b"], "skills": skills})
    with pa.ipc.new_file(path, rows.schema) as writer:
        writer.write_batch(rows)
    monkeypatch.setattr(arrow_blocks, "MOST_LISTED", 5)
    with pytest.raises(InvalidTable, match="row 0: column skills holds 6 values in lists of 2 rows"):
        read_table("agents", path)


def test_texts_kept_once_are_read_as_before(tmp_path):
    path = tmp_path / "members.parquet"
    pq.write_table(pa.table({"agent_id": ["a", "c", "b"], "queue_id": repeated("q", 3)}), path)
    assert read_table("members", path).select("queue_id", "agent_id").rows() == [("q", "a"), ("q", "c"), ("q", "b")]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of addresses works there")
def test_what_unpacks_past_its_bound_is_an_error_and_no_end_of_the_process():
    """A library asks for 512 MiB at once where 64 are allowed; what comes after has all there is again."""
    code = (
        "import numpy as np\n"
        "from ingest.workers.memory import MIB, bounded\n"
        "items = bounded((np.ones(mib * MIB, np.int8) for mib in (1, 512)), 64 * MIB)\n"
        "next(items)\n"
        "try:\n"
        "    next(items)\n"
        "except MemoryError:\n"
        "    print(np.ones(512 * MIB, np.int8).size // MIB)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "512\n"
    assert list(bounded(iter("ab"), 64 * MIB)) == ["a", "b"]


def test_a_gigabyte_in_place_of_a_study_or_of_settings_is_not_read(tmp_path, capsys):
    """The files have holes, so they take no room on the disk; read, they would take a gigabyte."""
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    for command in (["compare", str(path)], ["serve", "--settings", str(path)]):
        assert run_command(command) == 2
        assert f"{path}: over 4,194,304 bytes, which no " in capsys.readouterr().err
