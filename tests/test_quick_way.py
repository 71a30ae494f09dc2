"""Files that nothing is wrong with are read the quick way, which gives and refuses what the exact way does."""

import contextlib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidTable
from ingest.files import table
from ingest.files.cells import quick
from ingest.files.csv_blocks import CsvFile
from ingest.files.problems import Findings
from ingest.files.reading import Reading
from ingest.files.table import read_file_table
from ingest.sheets.text.rows import Rows

READING = Reading.of("Europe/Berlin")


def read(path, is_quick):
    """A table or its problems, with what was repaired."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "_LEAST_ROWS", 0 if is_quick else 10**9)
        if not is_quick:
            patch.setattr(Rows, "_quick", lambda *given: None)
        try:
            found = read_file_table("interactions", path, READING, lambda share: None)
        except InvalidTable as error:
            return error.problems
    return found.frame.to_dicts(), found.given, found.repairs, found.assumptions


CELLS = {
    "interaction_id": st.from_regex(r"[a-z]{1,3}[0-9]{0,3}", fullmatch=True)
    | st.sampled_from([" i1", "", "x" * 1001, '"a,b"']),
    "queue_id": st.sampled_from(["q", "q ", "Q2", "", '"with, comma"', '"two\nlines"']),
    "arrived_at": st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}Z")
    | st.sampled_from(["2026-03-02T08:00:00Z", "2026-03-02T08:00:00+01:00", "2026-03-02T08:00: 1Z", "soon", ""])
    | st.sampled_from(["2026-03-02 08:00:00", "2026-03-29T02:30:00"]),
    "media": st.sampled_from(["voice", "Voice", "chat", "fax", " chat", ""]),
    "skills": st.sampled_from(["a", "a;b", "b;a", "a;a", "a; b", ";", "", "a,b", "x\ty"]),
    "wait_s": st.sampled_from(["1", "2.5", "1e3", "nan", "-1", "1,5", "0:05", " 3", "", "inf", "x"]),
    "eligible_count": st.sampled_from(["1", "2.0", "2.5", ""]),
}  # fmt: skip
SOUND = {
    "interaction_id": st.uuids().map(str),
    "queue_id": st.sampled_from(["q", "r"]),
    "arrived_at": st.sampled_from(["2026-03-02T08:00:00Z", "2026-03-02 09:00:00Z"]),
    "media": st.sampled_from(["voice", "CHAT"]),
    "skills": st.sampled_from(["a", "b;a", ""]),
    "wait_s": st.sampled_from(["1", "2.5", ""]),
    "eligible_count": st.sampled_from(["1", ""]),
}


@st.composite
def files(draw):
    """A file of the table, most of its columns sound, with any line ends; some rows crooked."""
    odd = draw(st.sets(st.sampled_from(sorted(CELLS)), max_size=2))
    names = draw(st.permutations(sorted(CELLS)))
    n_rows = draw(st.integers(1, 12))
    columns = [
        draw(st.lists((CELLS if name in odd else SOUND)[name], min_size=n_rows, max_size=n_rows)) for name in names
    ]
    lines = [",".join(cells) for cells in zip(*columns, strict=True)]
    if draw(st.integers(0, 4)) == 0:
        lines.insert(draw(st.integers(0, n_rows)), draw(st.sampled_from(["", "a,b", "a,b,c,d,e,f,g,h", 'x"y', " "])))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return (mark + end.join([",".join(names), *lines]) + draw(st.sampled_from(["", end]))).encode()


@given(files())
def test_both_ways_give_the_same_table_or_the_same_words(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("way") / "interactions.csv"
    path.write_bytes(data)
    assert repr(read(path, True)) == repr(read(path, False))


def test_the_quick_way_is_taken(tmp_path, monkeypatch):
    """By polars as they stand, quoted commas too: every piece, and every column."""
    path = tmp_path / "interactions.csv"
    rows = [f'i{i},"queue, {i % 2}",2026-03-02T08:00:{i % 60:02}Z,{i}.5,voice' for i in range(100)]
    path.write_text("\n".join(["interaction_id,queue_id,arrived_at,wait_s,media", *rows]) + "\n")
    monkeypatch.setattr(Rows, "_exact", lambda *given: pytest.fail("the exact scanner was asked"))
    monkeypatch.setattr(quick, "_LEAST_ROWS", 50)
    asked = []
    exactly = table._read
    monkeypatch.setattr(table, "_read", lambda cells: asked.append(cells.column.name) or exactly(cells))
    assert read_file_table("interactions", path, READING, lambda share: None).frame.height == 100
    assert asked == []


def test_large_files_go_through_memory_in_pieces(tmp_path, monkeypatch):
    """Pieces end with a line; a crooked row in the second is known by its line."""
    path = tmp_path / "agents.csv"
    path.write_text("agent_id,group\n" + "".join(f"a{i},g\n" for i in range(1_000)))
    monkeypatch.setattr("ingest.sheets.text.rows.PIECE_BYTES", 4_000)
    blocks = list(CsvFile(path, Findings(path.name)).blocks({0: "agent_id", 1: "group"}))
    assert len(blocks) > 1
    assert pl.concat([block.frame for block in blocks])["agent_id"].to_list() == [f"a{i}" for i in range(1_000)]
    assert [line for block in blocks for line in block.lines] == list(range(2, 1_002))
    path.write_text(path.read_text().replace("a900,g\n", "a900,g,h\n"))
    with contextlib.suppress(InvalidTable):
        read_file_table("agents", path, READING, lambda share: None)
        pytest.fail("a row with three values was taken")
    findings = Findings(path.name)
    list(CsvFile(path, findings).blocks({0: "agent_id", 1: "group"}))
    assert findings.problems()[0].startswith(
        "agents.csv, row 902: 'a900,g,h': 3 values where the header names 2 columns"
    )


def test_a_row_too_short_and_one_too_long_do_not_make_up_for_each_other(tmp_path):
    """Counts of commas alone would be right."""
    path = Path(tmp_path / "agents.csv")
    path.write_text("agent_id,group\na1\na2,g,h\n")
    with pytest.raises(InvalidTable, match="row 2: 'a1': 1 values where the header names 2") as error:
        read_file_table("agents", path, READING, lambda share: None)
    assert any("row 3: 'a2,g,h': 3 values" in problem for problem in error.value.problems)
