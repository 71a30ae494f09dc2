"""From files to a snapshot by a profile: one centre in two styles of export, and exports beside the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import routelab
from engine.errors import InvalidTable
from ingest.exports import import_exports
from ingest.exports.profile.profile import Copied, From, Joined, Part, Profile
from ingest.sheets import read_sheets
from ingest.snapshot.reading import open_snapshot
from ingest.synthetic.making import make

BERLIN = "Europe/Berlin"
SAID = {"answered": "beantwortet", "abandoned": "aufgelegt"}


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pl.DataFrame]]:
    """A store with a made-up centre, and its tables with times and waits in whole seconds, as exports have them."""
    store = tmp_path_factory.mktemp("store")
    make(store, "truth", interactions=400, agents=6, queues=2, skills=2, languages=1, days=2, start="2026-03-16")
    tables = dict(open_snapshot(store, "truth").tables())
    calls = tables["interactions"].with_columns(
        pl.col("arrived_at").dt.truncate("1s"), pl.col("wait_s", "handle_s").round()
    )
    tables["interactions"] = calls.sort("arrived_at", "interaction_id")
    return store, tables


def german(folder: Path, tables: dict[str, pl.DataFrame]) -> Profile:
    """Semicolons and Windows-1252, days first, agents as surname and first name, in local time."""
    names = {agent: f"Größe {n}x, Jörg" for n, agent in enumerate(tables["agents"]["agent_id"])}
    local = pl.col("arrived_at").dt.convert_time_zone(BERLIN)
    calls = tables["interactions"].select(
        local.dt.to_string("%d.%m.%Y").alias("Datum"), local.dt.to_string("%H:%M:%S").alias("Uhrzeit"),
        pl.col("queue_id").alias("Warteschlange"), pl.col("agent_id").replace(names).alias("Agent"),
        pl.col("outcome").replace(SAID).alias("Ergebnis"), clock("wait_s").alias("Wartezeit"),
        clock("handle_s").alias("Bearbeitung"), pl.col("interaction_id").alias("Conversation-ID"),
        pl.lit("+49301234").alias("ANI"),
    )  # fmt: skip
    write(folder / "Anrufe.csv", calls, ";", "cp1252")
    people = tables["agents"].select(pl.col("agent_id").alias("Nr"), pl.col("agent_id").replace(names).alias("Name"))
    served = tables["members"].group_by("agent_id").agg(pl.col("queue_id").sort().str.join(", "))
    people = people.join(served, left_on="Nr", right_on="agent_id").rename({"queue_id": "Warteschlangen"})
    write(folder / "Agenten.csv", people, ";", "cp1252")
    columns: dict[str, From] = {
        "arrived_at": Joined("Datum", "Uhrzeit"), "queue_id": Copied("Warteschlange"), "agent_id": Copied("Agent"),
        "outcome": Copied("Ergebnis"), "wait_s": Copied("Wartezeit"), "handle_s": Copied("Bearbeitung"),
        "interaction_id": Copied("Conversation-ID"),
    }  # fmt: skip
    values = {"outcome": {word: outcome for outcome, word in SAID.items()}}
    people_from: dict[str, From] = {
        "agent_id": Copied("Nr"), "agent_name": Copied("Name"), "queues": Copied("Warteschlangen")
    }  # fmt: skip
    return Profile(
        BERLIN,
        (
            Part("interactions", ("Anrufe.csv",), columns, values=values, dates="dmy", personal=("ANI",)),
            Part("agents", ("Agenten.csv",), people_from),
        ),
    )


def american(folder: Path, tables: dict[str, pl.DataFrame]) -> Profile:
    """Commas and UTF-8, months first with AM and PM, agents by address, seconds, members in a file of their own."""
    mails = {agent: f"joerg.groesse.{n}x@example.org" for n, agent in enumerate(tables["agents"]["agent_id"])}
    names = {agent: f"Jörg Größe {n}x" for n, agent in enumerate(tables["agents"]["agent_id"])}
    local = pl.col("arrived_at").dt.convert_time_zone(BERLIN)
    calls = tables["interactions"].select(
        pl.col("interaction_id").alias("Conversation ID"), pl.col("agent_id").replace(mails).alias("Users"),
        local.dt.to_string("%m/%d/%Y %I:%M:%S %p").alias("Date"), pl.col("queue_id").alias("Queue"),
        pl.col("outcome").str.to_titlecase().alias("Disposition"), pl.col("wait_s").alias("Total Queue"),
        pl.col("handle_s").fill_null(0.0).alias("Total Handle"),
    )  # fmt: skip
    write(folder / "interactions.csv", calls, ",", "utf-8")
    people = tables["agents"].select(pl.col("agent_id").alias("ID"), pl.col("agent_id").replace(names).alias("Name"))
    write(folder / "users.csv", people, ",", "utf-8")
    served = tables["members"].select(
        pl.col("agent_id").replace(names).alias("User"), pl.col("queue_id").alias("Queue")
    )
    write(folder / "members.csv", served, ",", "utf-8")
    columns: dict[str, From] = {
        "arrived_at": Copied("Date"), "queue_id": Copied("Queue"), "agent_id": Copied("Users"),
        "outcome": Copied("Disposition"), "wait_s": Copied("Total Queue"), "handle_s": Copied("Total Handle"),
        "interaction_id": Copied("Conversation ID"),
    }  # fmt: skip
    people_from: dict[str, From] = {"agent_id": Copied("ID"), "agent_name": Copied("Name")}
    return Profile(
        BERLIN,
        (
            Part("interactions", ("interactions.csv",), columns, dates="mdy"),
            Part("agents", ("users.csv",), people_from),
            Part("members", ("members.csv",), {"agent_id": Copied("User"), "queue_id": Copied("Queue")}),
        ),
    )


def clock(column: str) -> pl.Expr:
    seconds = pl.col(column).cast(pl.Int64)
    parts = [(seconds // 3600), (seconds // 60 % 60), (seconds % 60)]
    return pl.concat_str([part.cast(pl.String).str.zfill(2) for part in parts], separator=":")


def write(path: Path, frame: pl.DataFrame, separator: str, encoding: str) -> None:
    path.write_bytes(frame.write_csv(separator=separator).encode(encoding))


@pytest.mark.parametrize("style", [german, american])
def test_both_styles_give_the_centre_back(
    style: Any, centre: tuple[Path, dict[str, pl.DataFrame]], tmp_path: Path
) -> None:
    store, truth = centre
    profile = style(tmp_path, truth)
    manifest = import_exports(store, style.__name__, profile, read_sheets([str(tmp_path)]), replace=True)
    found = dict(open_snapshot(store, style.__name__).tables())
    columns = ["interaction_id", "queue_id", "arrived_at", "outcome", "agent_id", "wait_s", "handle_s"]
    assert found["interactions"].select(columns).equals(truth["interactions"].select(columns))
    served = ["queue_id", "agent_id"]
    assert found["members"].select(served).sort(served).equals(truth["members"].select(served).sort(served))
    # The number of a caller is nowhere in the snapshot.
    assert not any(b"49301234" in file.read_bytes() for file in (store / style.__name__).rglob("*") if file.is_file())
    assert len(manifest.source["files"]) == len(profile.parts)


def test_nothing_is_half_imported(centre: tuple[Path, dict[str, pl.DataFrame]], tmp_path: Path) -> None:
    store, truth = centre
    profile = german(tmp_path, truth)
    broken = truth["interactions"].with_columns(outcome=pl.lit("vielleicht"))
    german(tmp_path, truth | {"interactions": broken})
    with pytest.raises(InvalidTable, match=r'Anrufe\.csv, row 2, column "Ergebnis": \'vielleicht\''):
        import_exports(store, "broken", profile, read_sheets([str(tmp_path)]))
    assert not (store / "broken").exists()


PEOPLE: dict[str, From] = {
    "agent_id": Copied("Personalnr"), "agent_name": Copied("Name"), "skills": Copied("Skills"),
    "languages": Copied("Sprachen"), "group": Copied("Team"),
}  # fmt: skip
QUEUES: dict[str, From] = {
    "queue_id": Copied("Warteschlange"), "media": Copied("Medium"), "service_level": Copied("Ziel")
}  # fmt: skip
CALLS = {
    "de": ("Datum/Uhrzeit", "Warteschlange", "Medientyp", "Agent", "Ergebnis", "Wartezeit", "Bearbeitungszeit",
           "Skills", "Sprache", "Conversation-ID"),
    "us": ("Date", "Queue", "Media Type", "Users", "Disposition", "Total Queue", "Total Handle", "Skills", "Language",
           "Conversation ID"),
}  # fmt: skip
OURS = ("arrived_at", "queue_id", "media", "agent_id", "outcome", "wait_s", "handle_s", "skills", "language")
MEANT = {
    "media": {"Sprachanruf": "voice", "Chat": "chat"}, "outcome": {"beantwortet": "answered", "aufgelegt": "abandoned"}
}  # fmt: skip


def published(style: str, kind: str) -> Profile:
    columns: dict[str, From] = dict(zip((*OURS, "interaction_id"), map(Copied, CALLS[style]), strict=True))
    order = {"de": "dmy", "us": "mdy"}[style]
    units = {"wait_s": "days", "handle_s": "days"} if kind == "xlsx" else {}
    calls = Part("interactions", (f"export.{kind}",), columns, values=MEANT, dates=order, units=units)
    plan = Part("shifts", ("schedule.xlsx",), {"agent_id": Copied("Agent")}, dates=order)
    others = (Part("agents", ("agents.xlsx",), PEOPLE), Part("queues", ("queues.xlsx",), QUEUES), plan)
    return Profile(BERLIN, (calls, *others))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("style", ["de", "us"])
def test_exports_beside_the_project_equal_their_truth_and_replay_green(style: str, kind: str, tmp_path: Path) -> None:
    place = os.environ.get("ROUTELAB_EXPORT_FILES")
    if not place:
        pytest.skip("ROUTELAB_EXPORT_FILES is not set; it names the folder of exports with their truth")
    folder = Path(place) / style
    names = [f"export.{kind}", "agents.xlsx", "queues.xlsx", "schedule.xlsx"]
    import_exports(tmp_path, "x", published(style, kind), read_sheets([str(folder / name) for name in names]))
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    rounded = 1e-3 if kind == "csv" else 1e-6
    for queue, found in recorded(dict(open_snapshot(tmp_path, "x").tables())).items():
        expected = truth["all"] if queue is None else truth["queue"][queue]
        assert {name: found[name] for name in ("offered", "answered", "abandoned")} == {
            name: expected[name] for name in ("offered", "answered", "abandoned")
        }
        assert found["sl"] == pytest.approx(expected["sl"], abs=rounded)
        # Waits in whole seconds of a text, and to a thousandth in a workbook.
        assert found["asa"] == pytest.approx(expected["asa"], abs=10 * rounded)
    report = routelab.replay(routelab.read("x", store=tmp_path), method="genesys", replications=2).report.replay
    assert report is not None
    assert report.light.color == "green"
    assert report.columns[0].service_level == pytest.approx(truth["all"]["sl"], abs=rounded)
    assert report.columns[1].service_level == pytest.approx(truth["all"]["sl"], abs=0.015)


def recorded(tables: dict[str, pl.DataFrame]) -> dict[str | None, dict[str, float]]:
    """Measures of the record by queue and of all, within the goal of each queue, over all offered."""
    rows = tables["interactions"].join(tables["queues"].select("queue_id", "service_level_s"), on="queue_id")
    answered = pl.col("outcome") == "answered"
    measures = {
        "offered": pl.len(), "answered": answered.sum(), "abandoned": (pl.col("outcome") == "abandoned").sum(),
        "sl": (answered & (pl.col("wait_s") <= pl.col("service_level_s"))).mean(),
        "asa": pl.col("wait_s").filter(answered).mean(),
    }  # fmt: skip
    by_queue = {row.pop("queue_id"): row for row in rows.group_by("queue_id").agg(**measures).to_dicts()}
    return {None: rows.select(**measures).to_dicts()[0], **by_queue}
