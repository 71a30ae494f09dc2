"""Snapshots that somebody made up with hashes that fit, and reading them in a process of its own."""

from __future__ import annotations

import hashlib
import importlib
import json
import random
import shutil
import subprocess
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import polars as pl

from engine.data.tables import TABLES
from engine.errors import RoutingError
from engine.run import choose, run
from engine.spec import Scenario
from ingest.snapshot.manifest import FILE_NAME, FileEntry, content_id
from ingest.snapshot.reading import Snapshot
from ingest.snapshot.writing import SnapshotWriter
from tests.small_snapshot import START, interactions

# What breaks counts, offsets and places.
NUMBERS = (0, 1, -1, 2, 7, 8, 255, 2**15, 2**16, 2**31 - 1, -(2**31), 2**32, 2**40, 2**62, 2**63 - 1, -(2**63))


def write_all(store: Path) -> Path:
    """A small snapshot with something in every table and nearly every column."""
    rows, n = interactions(), 50
    preferred = [[{"agent_id": "a1", "score": 50.0}] if i % 5 == 0 else None for i in range(n)]
    rows = rows.with_columns(
        media=pl.Series([("voice", "chat", None)[i % 3] for i in range(n)]), wait_s=pl.lit(3.0),
        outcome=pl.when(pl.col("agent_id").is_not_null()).then(pl.lit("answered")), csat_min=pl.lit(1.0),
        csat=pl.lit(2.0), csat_max=pl.lit(5.0), used_routing=pl.lit("Standard"), eligible_count=pl.lit(2, pl.Int32),
        preferred=pl.Series(preferred, dtype=TABLES["interactions"]["preferred"].dtype),
    )  # fmt: skip
    spell = {"start_at": [START], "end_at": [START + timedelta(days=1)]}
    who = [f"a{i}" for i in range(3)]
    levels = [[{"name": "tech", "proficiency": 3.0}], [], None]
    agents = {"agent_id": who, "agent_name": ["Ä", None, "C"], "skills": levels, "languages": levels}
    frames = {
        "agents": pl.DataFrame(
            agents, schema_overrides={n: TABLES["agents"][n].dtype for n in ("skills", "languages")}
        ),
        "staffing": pl.DataFrame({"agent_id": who} | {name: at * 3 for name, at in spell.items()}),
        "busy": pl.DataFrame({"agent_id": ["a1"], "why": ["meeting"], "media": ["chat"]} | spell),
        "handle_factors": pl.DataFrame({"agent_id": ["a1"], "factor": [1.5]}),
    }
    with SnapshotWriter(store, "s", source={"kind": "test"}, time_zone="Europe/Berlin") as writer:
        for name, frame in frames.items():
            writer.add(name, frame)
        writer.add_interactions(rows[:20])
        writer.add_interactions(rows[20:])
        writer.commit()
    return store / "s"


def fit(folder: Path) -> None:
    """Make sizes, hashes and id of a manifest those of the files, as whoever makes up a snapshot would."""
    path = folder / FILE_NAME
    said = json.loads(path.read_text())
    for entry in said["files"]:
        content = (folder / entry["path"]).read_bytes()
        entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    entries = [FileEntry(**entry) for entry in said["files"]]
    said["id"] = content_id(entries, said["rows"], said["dictionaries"])
    path.write_text(json.dumps(said))


def use(folder: Path) -> str:
    """Everything that anybody reads of a snapshot; gives the kind of error, or nothing."""
    try:
        snapshot = Snapshot(folder)
        arrays = snapshot.arrays()
        list(arrays.batches())
        for name in TABLES:
            snapshot.table(name).to_dicts()
        choose(Scenario(), arrays).to_frame()
        run(Scenario(mode="replay"), arrays)
    except RoutingError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def harmed(content: bytes, dice: random.Random) -> bytes:
    """A file with some bits, numbers or pieces changed."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at, kind = dice.randrange(len(data) - 8), dice.randrange(6)
        if kind <= 1:
            data[at] ^= 1 << dice.randrange(8)
        elif kind <= 3:
            size = dice.choice((2, 4, 4, 8))
            at -= at % size
            data[at : at + size] = (dice.choice(NUMBERS) % 2 ** (8 * size)).to_bytes(size, "little")
        elif kind == 4:
            to, n = dice.randrange(len(data)), dice.choice((8, 16, 24, 64))
            data[at : at + n] = data[to : to + n]
        else:
            # The frame at the end, which says where everything else lies.
            data[-dice.randrange(1, min(600, len(data)))] = dice.randrange(256)
    return bytes(data)


def fuzz(store: Path, seed: int, n: int) -> None:
    """Harm a file after the other and read what came of it; whoever is no `RoutingError` is told, with its number."""
    whole, folder = store / "s", store / "harmed"
    paths = sorted(path.relative_to(whole) for path in whole.rglob("*.arrow"))
    shutil.copytree(whole, folder)
    kinds: dict[str, int] = {}
    for number in range(seed, seed + n):
        dice = random.Random(number)
        path = dice.choice(paths)
        (folder / path).write_bytes(harmed((whole / path).read_bytes(), dice))
        shutil.copyfile(whole / FILE_NAME, folder / FILE_NAME)
        fit(folder)
        print("case", number, path, flush=True)
        try:
            kind = use(folder).partition(":")[0]
        except BaseException:
            traceback.print_exc()
            raise
        kinds[kind] = kinds.get(kind, 0) + 1
        shutil.copyfile(whole / path, folder / path)
    print("kinds", json.dumps(kinds))


def run_in(module: str, function: str, *arguments: str) -> None:
    """A function of a file of tests."""
    getattr(importlib.import_module(module), function)(*arguments)


def in_a_child(call: str, *arguments: object, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a function of this file in a process of its own, which may end as it likes."""
    script = f"import sys; from pathlib import Path; from tests import crafted; crafted.{call}"
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script, *map(str, arguments)],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, timeout=timeout_s,
    )  # fmt: skip
