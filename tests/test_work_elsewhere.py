"""Work elsewhere takes one place of its media under the rules of its agent, and blocks wholly only without one."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.data.calendar import Calendar
from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import INTERRUPTIONS, MEDIA, TABLES, Tables
from engine.errors import InvalidTable
from engine.replay.explain import explain_replay
from engine.replay.playing import play
from engine.replay.prepare import Recorded
from engine.reports.columns import time_of
from engine.run import run
from engine.spec import Scenario
from ingest.files.importing import import_files
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.verifying import verify
from tests.oracle_centre import us
from tests.small_centres import call, rated, tables_of
from tests.strategies import MIDNIGHT

NINE = MIDNIGHT + timedelta(hours=9)
HOUR = timedelta(hours=1)
MODE = Scenario(mode="replay", method="longest_idle")
CALL_MAY = [{"media": "message", "by": ["voice"]}]


def centre(
    interactions: list[dict[str, Any]],
    busy: list[dict[str, Any]],
    *,
    names: tuple[str, ...] = ("ann",),
    **settings: Any,
) -> Tables:
    """Some of the staff on queue from eight to twelve, with settings of ann's."""
    agents = [{"agent_id": name, "skills": rated(["tech"]), **(settings if name == "ann" else {})} for name in names]
    staffing = [{"agent_id": name, "start_at": NINE - HOUR, "end_at": NINE + 3 * HOUR} for name in names]
    members = [{"queue_id": "q", "agent_id": name} for name in names]
    return tables_of(agents=agents, interactions=interactions, busy=busy, staffing=staffing, members=members)


def spell(media: str | None, from_s: float, to_s: float, name: str = "ann") -> dict[str, Any]:
    start, end = (NINE + timedelta(seconds=at) for at in (from_s, to_s))
    return {"agent_id": name, "start_at": start, "end_at": end, "why": "elsewhere", "media": media}


def waits_s(tables: Tables) -> list[float]:
    played = play(MODE, Recorded(encode(tables), MODE))
    assert (played.served.status == 0).all()
    return played.served.wait_s.tolist()


@pytest.mark.parametrize(
    ("busy", "settings", "waits"),
    [
        # Of a call that comes at nine and a message that comes at nine and twenty seconds; the call takes ten.
        (None, {}, [3600.0, 3590.0]),
        ("voice", {}, [3600.0, 3590.0]),
        # By default nothing interrupts a message and there is one place.
        ("message", {}, [3600.0, 3590.0]),
        ("message", {"interrupted_by": CALL_MAY}, [0.0, 3580.0]),
        ("message", {"capacity": [{"media": "message", "count": 3}]}, [3600.0, 0.0]),
        ("message", {"interrupted_by": CALL_MAY, "capacity": [{"media": "message", "count": 3}]}, [0.0, 0.0]),
        ("email", {}, [0.0, 0.0]),
        ("email", {"interrupted_by": [{"media": "email", "by": []}]}, [3600.0, 3590.0]),
        ("email", {"interrupted_by": [{"media": "email", "by": ["message"]}]}, [3600.0, 0.0]),
        ("chat", {}, [3600.0, 3590.0]),
    ],
)
def test_work_elsewhere_stops_only_what_its_media_and_its_agent_s_rules_say(
    busy: str | None, settings: dict[str, Any], waits: list[float]
) -> None:
    """Work from half past eight to ten; what has to wait comes in turn, the call first: it takes ten seconds."""
    rows = [call(0, 0), call(1, 20, media="message")]
    assert waits_s(centre(rows, [spell(busy, -1800, 3600)], **settings)) == waits


def test_only_as_many_as_have_a_place() -> None:
    """Four messages of ten seconds, one place of three taken until 9:00:05, and one by each of them."""
    rows = [call(n, 0, media="message") for n in range(4)]
    tables = centre(rows, [spell("message", -100, 5)], capacity=[{"media": "message", "count": 3}])
    assert waits_s(tables) == [0.0, 0.0, 5.0, 10.0]


def test_rules_are_those_of_each_agent() -> None:
    """Bob, idle for longer, may not be interrupted; ann may."""
    rows = [call(0, 0), call(1, 1)]
    busy = [spell("message", -1800, 3600, name) for name in ("ann", "bob")]
    found = play(MODE, Recorded(encode(centre(rows, busy, names=("ann", "bob"), interrupted_by=CALL_MAY)), MODE))
    assert found.served.agent.tolist() == [0, 0]
    assert found.served.wait_s.tolist() == [0.0, 9.0]


def test_a_place_is_taken_at_the_instant_at_which_work_elsewhere_starts_and_free_when_it_ends() -> None:
    """The first call ends as the other work starts: the second is not taken then, but when that ends, at 9:00:30."""
    rows = [call(0, 0), call(1, 5)]
    busy = [spell("chat", 10, 20), spell("chat", 20, 30)]
    assert waits_s(centre(rows, busy)) == [0.0, 25.0]


def test_calls_in_hand_are_finished_and_handling_times_hold() -> None:
    """Work elsewhere that starts during a call makes it no longer."""
    found = play(MODE, Recorded(encode(centre([call(0, 0)], [spell("chat", 4, 60)])), MODE))
    assert (found.served.end_us - found.served.start_us).tolist() == [10_000_000]


def test_only_work_that_leaves_room_for_nothing_is_no_staffed_time() -> None:
    """Four hours on queue; an hour of a call elsewhere is none of them, an hour of a chat is, and neither is busy."""
    for media, staffed_h in ((None, 3), ("voice", 3), ("chat", 4), ("email", 4)):
        tables = centre([call(0, 0)], [spell(media, 3600, 7200)])
        played = play(MODE, Recorded(encode(tables), MODE))
        time = time_of(played, Calendar.of(played.demand.arrived_us, "UTC"))
        assert time.staffed_s.tolist() == [staffed_h * 3600]
        assert time.busy_s.tolist() == [10.0]
        # Who has something in hand is not free for what waits.
        assert (time.free.end_us - time.free.start_us).sum() == (3 * 3600 - 10) * 1_000_000


def test_the_explanation_of_a_moment_says_who_was_at_work_elsewhere() -> None:
    busy = [spell("chat", -60, 300), spell(None, -60, 120, "bob"), spell("email", -60, 300, "cid")]
    tables = centre([call(0, 0)], busy, names=("ann", "bob", "cid"))
    found = explain_replay(MODE, encode(tables), "i000")
    told = {agent.agent_id: agent.reason for agent in found.agents}
    assert told == {
        "ann": "busy for another 300 s; has work elsewhere in hand: chat",
        "bob": "at work elsewhere (elsewhere) for another 120 s",
        "cid": "chosen",
    }
    assert {agent.agent_id: agent.busy_until_us for agent in found.agents} == {
        "ann": us(NINE) + 300_000_000, "bob": None, "cid": None,
    }  # fmt: skip


def test_an_agent_with_a_place_left_is_told_to_be_free() -> None:
    """Two chats at once: ann has the first when the second comes, and stands among those who could be asked."""
    rows = [call(0, 0, media="chat"), call(1, 1, media="chat")]
    (agent,) = explain_replay(MODE, encode(centre(rows, [])), "i001").agents
    assert (agent.reason, agent.place, agent.busy_until_us, agent.idle_s) == ("chosen", 1, None, 1.0)


def test_the_report_knows_of_work_elsewhere_of_any_media() -> None:
    for busy, missing in (([], True), ([spell("email", 0, 60)], False), ([spell(None, 0, 60)], False)):
        report = run(MODE, centre([call(0, 0)], busy))
        assert any("no table says when agents were at work elsewhere" in note for note in report.warnings) == missing


@pytest.mark.parametrize(
    ("media", "from_s", "told"), [(None, 0, True), ("voice", 0, True), ("chat", 0, False), (None, 10, False)]
)
def test_the_report_says_where_work_stands_in_two_tables(media: str | None, from_s: float, told: bool) -> None:
    """Ann handles a call from nine for ten seconds; work elsewhere has her busy then, or right after it."""
    tables = centre([call(0, 0, agent_id="ann", outcome="answered", wait_s=0.0)], [spell(media, from_s, from_s + 30)])
    said = [note for note in run(MODE, tables).warnings if "the same work may stand in both tables" in note]
    assert bool(said) == told


# --- tables and files -------------------------------------------------------------------------------------------------

AGENTS = "agent_id,interrupted_by\n"
CASES = {
    "email: voice, chat; message: voice": [("email", ["voice", "chat"]), ("message", ["voice"])],
    " Email :Chat,voice": [("email", ["voice", "chat"])],
    "email:": [("email", [])],
    '{"email": ["voice"], "chat": []}': [("email", ["voice"]), ("chat", [])],
    '[{"media": "email", "by": ["voice", "voice"]}]': [("email", ["voice"])],
    "": None,
}


def imported(tmp_path: Path, cell: str) -> pl.DataFrame:
    agents, interactions, busy = (tmp_path / f"{name}.csv" for name in ("agents", "interactions", "busy"))
    quoted = cell.replace('"', '""')
    agents.write_text(f'{AGENTS}ann,"{quoted}"\n')
    interactions.write_text("interaction_id,queue_id,arrived_at\ni1,q,2024-03-04T09:00:00Z\n")
    busy.write_text(
        "agent_id,start_at,end_at,why,media\nann,2024-03-04T09:00:00Z,2024-03-04T10:00:00Z,x,Message\n"
        "ann,2024-03-04T11:00:00Z,2024-03-04T12:00:00Z,x,\n"
    )
    import_files(tmp_path / "store", "s", agents=agents, interactions=interactions, busy=busy)
    return open_snapshot(tmp_path / "store", "s").table("agents")


@pytest.mark.parametrize(("cell", "rules"), CASES.items())
def test_rules_of_interruption_are_read_from_text_and_json(
    tmp_path: Path, cell: str, rules: list[tuple[str, list[str]]] | None
) -> None:
    (found,) = imported(tmp_path, cell)["interrupted_by"].to_list()
    assert found == (None if rules is None else [{"media": media, "by": by} for media, by in rules])
    snapshot = open_snapshot(tmp_path / "store", "s")
    assert snapshot.table("busy")["media"].to_list() == ["message", None]
    interrupts = snapshot.arrays().centre.interrupts[0]
    for media, by in rules or ():
        assert interrupts[MEDIA.index(media)].tolist() == [each in by for each in MEDIA]


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("email", "row 2, column interrupted_by: 'email': write rules as in email: voice, chat; message: voice"),
        ("email: fax", "media must be one of voice"),
        ("fax: voice", "media must be one of voice"),
        ("email: voice; Email: chat", "names each media once"),
        ("{not json}", "is not JSON"),
        ('{"email": "voice"}', "write rules as in"),
        ('[{"media": "email"}]', "write rules as in"),
        ("[1]", "write rules as in"),
    ],
)
def test_rules_that_cannot_be_read_are_refused_with_what_they_should_be(tmp_path: Path, cell: str, says: str) -> None:
    with pytest.raises(InvalidTable, match=says.replace("{", r"\{")):
        imported(tmp_path, cell)


def test_rules_that_name_no_media_are_refused_in_tables_too() -> None:
    for rules in (
        [{"media": "fax", "by": []}],
        [{"media": "email", "by": ["fax"]}],
        [{"media": "email", "by": []}] * 2,
    ):
        frame = pl.DataFrame({"agent_id": ["a"], "interrupted_by": pl.Series([rules], dtype=INTERRUPTIONS)})
        with pytest.raises(InvalidTable, match="column interrupted_by"):
            check("agents", frame)


def test_a_snapshot_of_the_schema_before_is_read_with_what_it_lacks_filled_in(tmp_path: Path) -> None:
    """As files of the first schema are: no such columns; all rules by default, work elsewhere blocks wholly."""
    files = {name: tmp_path / f"{name}.parquet" for name in ("agents", "interactions", "busy")}
    pl.DataFrame({"agent_id": ["ann"]}).write_parquet(files["agents"])
    pl.DataFrame(call(0, 0)).write_parquet(files["interactions"])
    pl.DataFrame(spell(None, 0, 60)).drop("media").write_parquet(files["busy"])
    import_files(tmp_path, "s", **files)
    snapshot = open_snapshot(tmp_path, "s")
    said = snapshot.folder / "manifest.json"
    assert json.loads(said.read_text())["schema_version"] == 2
    said.write_text(said.read_text().replace('"schema_version": 2', '"schema_version": 1'))
    old = open_snapshot(tmp_path, "s")
    verify(old.folder)
    assert old.table("busy").columns == list(TABLES["busy"].names)
    centre = old.arrays().centre
    assert (centre.busy.agent.size, centre.held.agent.size) == (1, 0)
    assert np.argwhere(centre.interrupts[0])[:, 0].tolist() == [MEDIA.index("email")] * len(MEDIA)
