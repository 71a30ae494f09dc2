"""Bad Parquet and Arrow files are refused as clearly as bad CSV, also when they are damaged."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from engine.errors import InvalidTable, RoutingError
from ingest.files import read_table
from tests.small_files import AGENTS, INTERACTIONS, refused, says, write

NOON = datetime(2024, 3, 4, 12)
VISIT = {"interaction_id": ["i1", "i2"], "queue_id": ["q", "q"]}
STRANGE = [{"x": 1.5, "y": 2.5, "z": 3}]

# Table, columns, what the first line says.
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("interactions", VISIT | {"arrived_at": [NOON, NOON]}, "row 0, column arrived_at: ... has no time zone"),
    (
        "interactions",
        VISIT | {"arrived_at": [NOON.date()] * 2},
        "row 0, column arrived_at: '2024-03-04': must be a time",
    ),
    (
        "interactions",
        VISIT | {"arrived_at": [1709510400, 0]},
        "row 0, column arrived_at: 1709510400: ... numbers",
    ),
    (
        "interactions",
        VISIT | {"arrived_at": [None, None]},
        "row 0, column arrived_at: nothing: must not be empty",
    ),
    ("interactions", VISIT | {"skills": [[1.5], [2.5]]}, "column arrived_at is missing"),
    ("agents", {"agent_id": [1.5, 2.0]}, "row 0, column agent_id: 1.5: must be text"),
    ("agents", {"agent_id": ["a", None]}, "row 1, column agent_id: nothing: must not be empty"),
    ("agents", {"agent_id": ["a"], "queue_time_s": [True]}, "row 0, column queue_time_s: true: ... true or false"),
    ("agents", {"agent_id": ["a"], "queue_time_s": [float("nan")]}, "row 0, column queue_time_s: nan"),
    ("agents", {"agent_id": ["a"], "skills": [3]}, "row 0, column skills: 3: ... billing:5;tech:3.5"),
    ("agents", {"agent_id": ["a"], "skills": [[3.5]]}, "row 0, column skills: '3.5': ... billing:5"),
    ("agents", {"agent_id": ["a"], "skills": [STRANGE]}, "row 0, column skills: ... entries of name"),
    ("agents", {"agent_id": ["a"], "skills": [[None]]}, "row 0, column skills: '': an entry has no name"),
    ("agents", {"agent_id": ["a"], "queues": [[None]]}, "row 0, column queues: '': an entry is empty; write"),
    ("agents", {"agent_id": ["a", "b\0c"]}, "row 1, column agent_id: 'b\\x00c': must not hold a NUL"),
    ("agents", {"agent_id": ["a"], "group": [b"\xff"]}, "row 0, column group: 1 bytes: must be UTF-8 text"),
    ("agents", {"agent_id": pl.Series([], dtype=pl.String)}, "agents.parquet: there is a header but no row"),
    ("agents", {"name": ["a"]}, "agents.parquet: column agent_id is missing; found name"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[2])
def test_bad_types_are_refused_with_place_and_remedy(case: tuple[Any, ...], tmp_path: Path) -> None:
    table, columns, wanted = case
    paths = write(tmp_path, agents=AGENTS, interactions=INTERACTIONS)
    paths[table] = tmp_path / f"{table}.parquet"
    pl.DataFrame(columns, strict=False).write_parquet(paths[table])
    lines = refused(tmp_path / "store", paths)
    assert lines[0].startswith(f"{table}.parquet") and says(lines[0], wanted), lines


def test_damaged_and_misnamed_files_are_refused(tmp_path: Path) -> None:
    whole, arrow = tmp_path / "whole.parquet", tmp_path / "whole.arrow"
    frame = pl.DataFrame({"agent_id": [f"a{i}" for i in range(999)]})
    frame.write_parquet(whole)
    frame.write_ipc(arrow)
    damaged = {
        "cut.parquet": (whole.read_bytes()[:-100], "cut short"),
        "cut.arrow": (arrow.read_bytes()[:-100], "cut short"),
        "footless.parquet": (b"PAR1" + bytes(99) + b"PAR1", "cannot be read as Parquet"),
        "headless.arrow": (b"ARROW1\0\0" + bytes(99) + b"ARROW1", "cannot be read as Arrow"),
        "stream.arrow": (b"\xff\xff\xff\xff\x10\0\0\0" + bytes(99), "cannot be read as Arrow stream"),
        "text.parquet": (AGENTS.encode(), "the content does not"),
        "really.csv": (whole.read_bytes(), "it is Parquet, rename the file"),
        "arrow.parquet": (arrow.read_bytes(), "it is Arrow, rename the file"),
        "old.feather": (b"FEA1" + bytes(99), "old Feather"),
        "secret.parquet": (b"PARE" + bytes(99), "encrypted"),
    }
    for name, (content, wanted) in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidTable, match=wanted):
            read_table("agents", tmp_path / name)


FAR = [2**62, -(2**62)]
STRANGE_TYPES = [
    pa.array([2**64 - 1, 0], pa.uint64()), pa.array([float("nan"), float("-inf")]), pa.nulls(2),
    pa.array([Decimal("1.5"), None], pa.decimal256(60, 2)), pa.array([b"\xff", None], pa.binary_view()),
    pa.array([1, None], pa.date32()), pa.array([1, None], pa.time64("ns")), pa.array(FAR, pa.duration("s")),
    pa.array(FAR, pa.timestamp("s")), pa.array(FAR, pa.timestamp("us", "Asia/Tokyo")),
    pa.array([1, None], pa.timestamp("ns", "+05:30")), pa.array([(1, 2, 3), None]), pa.array([[[1]], None]),
    pa.array([["a", "b"], None], pa.list_(pa.string(), 2)), pa.array([["a"], None], pa.list_view(pa.string())),
    pa.array([[{"name": b"\xff", "proficiency": True}], [None]]), pa.array([[{"name": ["a"]}], None]),
    pa.array([[("a", 1), ("a", 2)], None], pa.map_(pa.string(), pa.int64())), pa.array([{"a": 1}, None]),
    pa.array([[], None], pa.list_(pa.struct([]))), pa.array([[b"\xff"], None]), pa.array([1, None], pa.bool8()),
]  # fmt: skip
COLUMNS = ("agent_id", "skills", "idle_since", "queue_time_s", "capacity", "queues", "rings")


@pytest.mark.parametrize("array", STRANGE_TYPES, ids=lambda array: str(array.type)[:40])
def test_strange_types_never_escape(array: pa.Array, tmp_path: Path) -> None:
    for column in COLUMNS:
        table = pa.table({"agent_id": ["a", "b"]} | {column: array})
        path = tmp_path / f"{column}.arrow"
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
        try:
            frame = read_table("agents", path)
        except RoutingError as error:
            assert path.name in str(error)
        else:
            assert frame.height == 2


def test_moments_too_far_away_do_not_wrap_into_sensible_years(tmp_path: Path) -> None:
    for unit in ("s", "ms", "us"):
        table = pa.table({"agent_id": ["a", "b"], "idle_since": pa.array(FAR, pa.timestamp(unit, "UTC"))})
        with pa.ipc.new_file(str(tmp_path / "agents.arrow"), table.schema) as writer:
            writer.write_table(table)
        with pytest.raises(InvalidTable, match=r"row 0, column idle_since: .* years 1970 to 2199 .2 rows"):
            read_table("agents", tmp_path / "agents.arrow")


def test_binary_ids_are_refused(tmp_path: Path) -> None:
    table = pa.table({"agent_id": pa.array([b"\xff123456789abcdef"], pa.uuid())})
    path = tmp_path / "agents.arrow"
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(InvalidTable, match=r"agents\.arrow, row 0, column agent_id: .* must be UTF-8 text"):
        read_table("agents", path)
