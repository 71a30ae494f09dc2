"""`routelab demo`: seven made-up months, scored and replayed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.printing import say, say_json, tell
from api.terminal import options

if TYPE_CHECKING:
    from engine.spec import Scenario
    from engine.typing import Progress
    from ingest.snapshot.reading import Snapshot

REPLAY, RULE = "replay", "-" * 20
NAME, REAL = "demo", "demo-log"
MAKING = {"kind": "synthetic", "like": "bank", "seed": 0, "interactions": 252_290}


@options.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out"), show_default=True,
    help="Folder for outcomes.arrow and report.json, and the same of the replay in replay/.",
)  # fmt: skip
@options.replace_results
@click.option(
    "--log", type=click.Path(path_type=Path), multiple=True,
    help="The published bank log in place of made-up calls; may be given again.",
)  # fmt: skip
@options.store
@options.as_json
def demo(out: Path, replace: bool, log: tuple[Path, ...], store: Path, as_json: bool) -> None:
    """Route seven months of calls by the weighted score, then replay them: made up, or a bank's real log.

    The replay sets Genesys' standard routing and the weighted score side by side on the same customers. What an
    earlier demo left in --out makes way; other results do so with --replace.

    \b
    Example:
      routelab demo
      routelab demo --log january.txt --log february.txt
    """
    import time

    from api.output.result_folder import ResultFolder
    from api.output.results import simulate_into, to_json
    from api.terminal.shown.page import progress
    from engine.spec import Scenario

    scored, replayed = Scenario(), _replay(bool(log))
    started = time.perf_counter()
    with (
        ResultFolder(out, replace=replace or _is_own(out, scored)) as beside,
        ResultFolder(out / REPLAY, replace=replace or _is_own(out / REPLAY, replayed)) as within,
        progress(not as_json) as watch,
    ):
        snapshot, how = _real(store, log, watch) if log else _made_up(store, watch)
        arrays = snapshot.arrays()
        load_s = time.perf_counter() - started
        report = simulate_into(beside, scored, arrays, load_s=load_s, progress=watch)
        replay = simulate_into(within, replayed, arrays, load_s=load_s, progress=watch)
    if as_json:
        say_json(to_json(replay))
        return
    from api.terminal.shown.replay import show
    from ingest.bank import FITTED

    name = snapshot.manifest.name
    say(f"Snapshot {name!r} in {store / name}: {how}.")
    show(report)
    say()
    example = _decisions(out)
    say()
    say(RULE + " and the same months replayed " + RULE)
    show(replay)
    say()
    say(
        f"files: {out / 'outcomes.arrow'} (one row per interaction), {out / 'report.json'}; of the replay the same "
        f"in {out / REPLAY}; the snapshot {store / name}"
    )
    _next(name, store, out, example, FITTED if log else {})


def _is_own(out: Path, scenario: Scenario) -> bool:
    """Whether the results in a folder are what a demo writes there: nothing is lost when they are made again."""
    import orjson

    from api.output.result_folder import COMPARISON, REPORT

    try:
        report = orjson.loads((out / REPORT).read_bytes())
        wanted = orjson.loads(orjson.dumps(scenario.to_dict()))
        is_same = report["snapshot"]["id"] in (NAME, REAL) and report["scenario"] == wanted
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return is_same and not (out / COMPARISON).exists()


def _replay(real: bool) -> Scenario:
    """The weighted score in a replay; of the real log with what was fitted to its first months."""
    from engine.estimates.assumptions import Assumptions
    from engine.spec import Scenario
    from ingest.bank import FITTED

    return Scenario(mode="replay", assumptions=Assumptions.of(FITTED if real else {}))


def _next(name: str, store: Path, out: Path, example: str | None, fitted: dict[str, float]) -> None:
    """What to try now, as it can be typed."""
    at = shlex.join(["--snapshot", name, "--store", str(store)])
    assumed = f" --join-gap {fitted['join_gap_s']:g} --acw {fitted['acw_s']:g}" if fitted else ""
    say(f"next:  routelab simulate {at} --weights 0.6,0.3,0.1{assumed} {_out(out / 'weights')}")
    say(f"       routelab compare {at} --methods genesys,weighted,random{assumed} {_out(out / 'methods')}")
    if example:
        say(f"       routelab explain {at} --interaction {shlex.quote(example)} --mode replay{assumed}")
    say("       (without installing: python3 run.py cli simulate ...)")


def _out(folder: Path) -> str:
    return shlex.join(["--out", str(folder)])


def _real(store: Path, log: tuple[Path, ...], watch: Progress | None) -> tuple[Snapshot, str]:
    """The bank's log, imported anew."""
    from ingest.bank import import_bank
    from ingest.snapshot.reading import open_snapshot

    _refuse_others(store, REAL, {"kind": "bank", "seed": 0})
    manifest = import_bank(log, store, REAL, replace=True, progress=watch)
    read, kept = manifest.repairs["rows in the log"], manifest.rows["interactions"]
    how = f"{kept:,} interactions of {read:,} rows in the log; 'snapshot show {REAL}' lists every repair"
    return open_snapshot(store, REAL), how


def _made_up(store: Path, watch: Progress | None) -> tuple[Snapshot, str]:
    """The demo's own snapshot, made unless one with the same making is there."""
    from engine.errors import CorruptSnapshot
    from ingest.snapshot.reading import open_snapshot
    from ingest.snapshot.store import names
    from ingest.snapshot.verifying import check_all
    from ingest.synthetic import make

    what = "a made-up centre shaped like a real bank's"
    # Made again only where it is not there: seven months take longer to make than to play.
    _refuse_others(store, NAME, MAKING)
    if NAME in names(store):
        try:
            found = open_snapshot(store, NAME)
            check_all(found)
            return found, f"{what}, found from an earlier run"
        except CorruptSnapshot as error:
            tell(f"{error}; making it again")
    make(store, NAME, like="bank", seed=0, replace=True, progress=watch)
    return open_snapshot(store, NAME), f"{what}, made from a seed"


def _refuse_others(store: Path, name: str, making: dict[str, object]) -> None:
    """A snapshot of the demo's name that somebody made otherwise is not replaced."""
    from engine.errors import CorruptSnapshot, SnapshotExists
    from ingest.snapshot.manifest_reading import read_manifest
    from ingest.snapshot.store import names

    try:
        taken = name in names(store) and not making.items() <= read_manifest(store / name).source.items()
    except CorruptSnapshot:
        taken = True
    if taken:
        raise SnapshotExists(
            f"snapshot {name!r} in {store} is not the demo's own; delete it with 'routelab snapshot delete {name}' "
            "or give the demo another --store"
        )


def _decisions(out: Path) -> str | None:
    """Show who would be chosen for what, and give the id of one interaction to ask about."""
    import polars as pl

    from api.terminal.shown.page import Page, grid
    from api.terminal.shown.pieces import number, percent

    rows = pl.scan_ipc(out / "outcomes.arrow", glob=False).collect()
    needs = [pl.col(name).cast(pl.String).fill_null("-") for name in ("required_skill", "required_language")]
    agent = pl.col("selected_agent_id").cast(pl.String).alias("agent")
    # Equal counts go to the smaller id, as everywhere.
    counts = rows.group_by(*needs, agent).len().sort("len", "agent", descending=[True, False])
    table = counts.group_by("required_skill", "required_language", maintain_order=True).agg(
        pl.col("len").sum().alias("all"), pl.col("agent").count().alias("agents"), pl.col("agent", "len").first()
    )
    columns = [
        ("requires", "left"), ("language", "left"), ("interactions", "right"), ("agents chosen", "right"),
        ("most often", "left"), ("share", "right"),
    ]  # fmt: skip
    cells = [
        [skill, language, number(n), number(agents), most or "nobody", percent(first / n)]
        for skill, language, n, agents, most, first in table.sort("all", descending=True).rows()
    ]
    Page().print(grid("Who would have been chosen, by what the call requires", columns, cells))
    return rows["interaction_id"][0] if rows.height else None
