"""Whatever bytes an input file holds: a whole snapshot, or a RoutingError and nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RoutingError
from ingest.files import import_files
from tests.small_files import AGENTS, GOOD, INTERACTIONS, write

ODD = st.sampled_from([b",", b";", b'"', b"\n", b"\r", b"\0", b"\xff", b"\xc3\xa9", b"nan", b"-", b":", b"", b" "])


def slips(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with a few bytes put in, taken out or replaced."""
    edit = st.tuples(st.integers(0, len(content)), st.integers(0, 3), ODD | st.binary(max_size=4))

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        changed = content
        for at, n_out, put in edits:
            changed = changed[:at] + put + changed[at + n_out :]
        return changed

    return st.lists(edit, min_size=1, max_size=6).map(apply)


def survive(table: str, name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        paths = write(place, agents=AGENTS, interactions=INTERACTIONS)
        paths[table] = place / name
        paths[table].write_bytes(content)
        store = place / "store"
        try:
            import_files(store, "x", **paths)
        except RoutingError as error:
            assert str(error).strip()
            assert not store.exists() or not list(store.iterdir())
        else:
            assert [path.name for path in store.iterdir()] == ["x"]


@given(st.sampled_from(sorted(GOOD)).flatmap(lambda t: st.tuples(st.just(t), slips(GOOD[t].encode()))))
def test_mutated_csv_never_escapes(case: tuple[str, bytes]) -> None:
    survive(case[0], f"{case[0]}.csv", case[1])


@given(st.binary(max_size=200), st.sampled_from(["agents.csv", "agents.parquet", "agents.arrow"]))
def test_random_bytes_never_escape(content: bytes, name: str) -> None:
    survive("agents", name, content)


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.sampled_from(["agent_id", "skills", "capacity"]))
def test_any_text_in_a_cell_never_escapes(value: str, column: str) -> None:
    row = {"agent_id": "a1", "skills": "", "capacity": ""} | {column: value}
    cells = ",".join('"' + cell.replace('"', '""') + '"' for cell in row.values())
    survive("agents", "agents.csv", f"{','.join(row)}\n{cells}\n".encode())


@given(st.text(alphabet="0123456789-:+.TZtz ", max_size=30))
def test_any_shape_of_time_never_escapes(value: str) -> None:
    survive("interactions", "interactions.csv", f"id,queue_id,arrived_at\ni1,q1,{value}\n".encode())


def _typed_bytes(ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"agents{ending}"
        frame = pl.DataFrame({"agent_id": ["a1", "a2"], "skills": ["tech", "billing:3"]})
        frame.write_parquet(path) if ending == ".parquet" else frame.write_ipc(path)
        return path.read_bytes()


@pytest.mark.parametrize("ending", [".parquet", ".arrow"])
@given(data=st.data())
def test_mutated_binary_files_never_escape(ending: str, data: st.DataObject) -> None:
    survive("agents", f"agents{ending}", data.draw(slips(_typed_bytes(ending))))
