"""What the platform tells beside: conversations, how it routed, whom it found, why somebody is away, its counts."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from api.terminal.cli import cli
from engine.data.encode import encode
from engine.data.tables import TABLES, Tables
from engine.replay.explain import explain_replay
from engine.run import run
from engine.spec import Scenario
from ingest.snapshot.counted import beside_platform
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from tests import strategies
from tests.small_centres import MIDNIGHT, call, tables_of

NINE = MIDNIGHT + timedelta(hours=9)
REPLAY = Scenario(mode="replay", method="genesys")


def centre() -> Tables:
    """Three calls, the first and the last of one conversation; bob is in a training until ten past nine."""
    calls = [
        call(0, conversation_id="c", used_routing="Bullseye", eligible_count=2, agent_id="ann", outcome="answered"),
        call(1, conversation_id="d", used_routing=None, eligible_count=0),
        call(2, conversation_id="c"),
    ]
    busy = [{"agent_id": "bob", "start_at": NINE, "end_at": NINE + timedelta(minutes=10), "why": "training"}]
    return tables_of(interactions=calls, busy=busy)


def stored(tables: Tables, store) -> None:
    with SnapshotWriter(store, "s", source={"kind": "test"}, time_zone="UTC") as writer:
        for name, frame in tables:
            if name != "interactions" and frame.height:
                writer.add(name, frame)
        writer.add_interactions(tables.interactions.sort("arrived_at", "interaction_id"))
        writer.commit()


@pytest.mark.parametrize("where", ["memory", "snapshot"])
def test_explain_tells_what_the_platform_said(where, tmp_path):
    stored(centre(), tmp_path)
    arrays = encode(centre()) if where == "memory" else open_snapshot(tmp_path, "s").arrays()
    first, second = (explain_replay(REPLAY, arrays, f"i00{n}") for n in (0, 1))
    about = first.interaction
    assert (about.conversation_id, about.visits, about.used_routing, about.eligible_count) == ("c", 2, "Bullseye", 2)
    about = second.interaction
    assert (about.conversation_id, about.visits, about.used_routing, about.eligible_count) == ("d", 1, None, 0)
    [reason] = [agent.reason for agent in first.agents if agent.agent_id == "bob"]
    assert reason == "at work elsewhere (training) for another 600 s"


def test_a_replay_counts_later_visits_of_a_conversation():
    [note] = [text for text in run(REPLAY, centre()).warnings if "transfers, redials" in text]
    assert note.endswith("(1 of 3 interactions are later visits of a conversation)")
    days = encode(centre()).window(int(NINE.timestamp() * 1e6), int(NINE.timestamp() * 1e6) + 2_000_000)
    [note] = [text for text in run(REPLAY, days).warnings if "transfers, redials" in text]
    assert note.endswith("(0 of 2 interactions are later visits of a conversation)")


COUNTED = {
    "queue_id": "q", "media": "VOICE", "start_at": NINE, "offered": 3, "answered": 2, "abandoned": 1, "flowed_out": 0,
    "over_sla": 1, "answered_wait_s": 40.0, "handle_s": 70.0, "talk_s": 40.0, "held_s": 10.0, "acw_s": 20.0,
}  # fmt: skip


def counted() -> Tables:
    """By hand: 10 + 30 s of waits, one later than 20 s; 60 + 10 s of handling, 20 s of it after the call."""
    calls = [
        call(0, outcome="answered", agent_id="ann", wait_s=10.0, handle_s=60.0, acw_s=20.0),
        call(1, outcome="answered", agent_id="ann", wait_s=30.0, handle_s=10.0),
        call(2, outcome="abandoned", wait_s=50.0, handle_s=None),
        # Of another half hour, and of a queue that the platform was not asked about.
        call(3, at_s=1800.0, outcome="answered", agent_id="ann", wait_s=1.0),
        call(4, queue_id="other", outcome="answered", agent_id="ann", wait_s=1.0),
    ]
    return tables_of(interactions=calls, aggregates=[COUNTED])


def test_the_platforms_own_counts_stand_beside_those_of_the_snapshot():
    tables = counted()
    found = beside_platform(tables.aggregates, tables.interactions, strategies.table("queues", [{"queue_id": "q"}]))
    assert found["media"].unique().to_list() == ["voice"]
    wanted = {
        "offered": 3, "answered": 2, "abandoned": 1, "flowed_out": 0, "over_sla": 1, "answered_wait_s": 40,
        "handle_s": 70, "acw_s": 20, "talk_and_hold_s": 50,
    }  # fmt: skip
    assert dict(found.select("figure", "platform").iter_rows()) == wanted
    assert dict(found.select("figure", "snapshot").iter_rows()) == wanted


def test_a_snapshot_shows_them(tmp_path):
    stored(counted(), tmp_path)
    shown = CliRunner().invoke(cli, ["snapshot", "show", "s", "--store", str(tmp_path)], catch_exceptions=False).output
    assert "answered later than the goal" in shown
    found = CliRunner().invoke(cli, ["snapshot", "show", "s", "--store", str(tmp_path), "--json"]).output
    [offered] = [row for row in json.loads(found)["beside_platform"] if row["figure"] == "offered"]
    assert offered == {"media": "voice", "figure": "offered", "platform": 3.0, "snapshot": 3.0}


def test_nothing_counted_is_nothing_to_compare():
    assert beside_platform(*(TABLES[name].empty() for name in ("aggregates", "interactions", "queues"))).height == 0
