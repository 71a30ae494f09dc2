"""Tables are checked as data: every finding names its place, its value and the way out."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from engine.data.checks import MOST_PROBLEMS, Place, check, complete
from engine.data.tables import TABLES, Tables
from engine.errors import InvalidTable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ONE = {
    "agents": {"agent_id": "a"},
    "members": {"queue_id": "q", "agent_id": "a"},
    "queues": {"queue_id": "q"},
    "interactions": {"interaction_id": "i", "queue_id": "q", "arrived_at": NOW},
    "surveys": {"survey_id": "s", "agent_id": "a", "completed_at": NOW, "score": 4, "scale_min": 1, "scale_max": 5},
    "staffing": {"agent_id": "a", "start_at": NOW, "end_at": NOW.replace(hour=8)},
    "busy": {"agent_id": "a", "start_at": NOW, "end_at": NOW.replace(hour=8)},
    "aggregates": {"queue_id": "q", "media": "voice", "start_at": NOW},
    "handle_factors": {"agent_id": "a", "factor": 1.2},
}


def one(table: str, **changes: object) -> pl.DataFrame:
    return pl.DataFrame([ONE[table] | changes])


@pytest.mark.parametrize("name", TABLES)
def test_the_least_row_of_each_table_passes_and_gets_its_defaults(name):
    row = check(name, one(name))
    assert row.columns == list(TABLES[name].names)
    for column in TABLES[name].columns:
        assert row[column.name][0] == ONE[name].get(column.name, column.default)


@pytest.mark.parametrize("name", TABLES)
def test_every_required_column_is_missed(name):
    for column in TABLES[name].columns:
        if column.required:
            with pytest.raises(InvalidTable, match=f"column {column.name} is missing"):
                check(name, one(name).drop(column.name))


@pytest.mark.parametrize("name", TABLES)
def test_every_key_must_be_unique(name):
    if TABLES[name].key:
        with pytest.raises(InvalidTable, match=r"row 1, column .*stands there already"):
            check(name, pl.concat([one(name)] * 2))


@pytest.mark.parametrize(
    ("table", "changes", "says"),
    [
        ("agents", {"agent_id": ""}, "row 7, column agent_id: '': must not be empty"),
        ("agents", {"agent_id": None}, "column agent_id: nothing: must not be empty"),
        ("agents", {"skills": [{"name": "x", "proficiency": 5.5}]}, "proficiency from 0 to 5"),
        ("agents", {"skills": [{"name": "x", "proficiency": float("nan")}]}, "proficiency from 0 to 5"),
        ("agents", {"skills": [{"name": "x", "proficiency": None}]}, "proficiency from 0 to 5"),
        ("agents", {"languages": [{"name": "", "proficiency": 5.0}]}, "an entry has no name"),
        ("agents", {"skills": [{"name": "x", "proficiency": 5.0}] * 2}, "once"),
        ("agents", {"queue_time_s": -1.0}, "at least 0"),
        ("agents", {"capacity": [{"media": "fax", "count": 1}]}, "voice, chat, email"),
        ("agents", {"capacity": [{"media": "chat", "count": 26}]}, "0 to 25"),
        ("interactions", {"preferred": [{"agent_id": "a", "score": 101.0}]}, "score from 0 to 100"),
        ("members", {"ring": 7}, "at most 6"),
        ("queues", {"evaluation_method": "best"}, "one of ALL, BEST, NONE"),
        ("queues", {"service_level_share": 80.0}, "at most 1"),
        ("interactions", {"handle_s": float("inf")}, "finite"),
        ("interactions", {"wait_s": -0.5}, "at least 0"),
        ("interactions", {"outcome": "lost"}, "answered, abandoned, flowed_out, unknown"),
        ("interactions", {"skills": ["tech", ""]}, "an entry is empty"),
        ("interactions", {"skills": ["te\x1fch"]}, "control characters"),
        ("agents", {"skills": [{"name": "te\x1fch", "proficiency": 5.0}]}, "control characters"),
        ("interactions", {"priority": 3e7}, "at most 2.5e"),
        ("surveys", {"score": 6}, "within scale_min and scale_max"),
        ("surveys", {"scale_max": 1}, "greater than scale_min"),
        ("staffing", {"end_at": NOW}, "later than start_at"),
        ("handle_factors", {"factor": 0.0}, "at least 0.01"),
    ],
)
def test_a_bad_value_is_named_with_its_place_and_remedy(table, changes, says):
    with pytest.raises(InvalidTable) as raised:
        check(table, one(table, **changes), Place("file.csv", 7))
    assert says in str(raised.value)
    assert str(raised.value).startswith("file.csv, row 7")


def test_unknown_columns_are_refused_with_the_known_ones():
    with pytest.raises(InvalidTable, match="column phone is not one of table agents"):
        check("agents", one("agents", phone="1"))


def test_a_wrong_type_is_one_clear_line():
    with pytest.raises(InvalidTable, match=r"interactions: .*arrived_at"):
        check("interactions", one("interactions", arrived_at="yesterday"))


def test_many_problems_are_gathered_and_the_rest_counted():
    columns = {f"extra{i}": [1] for i in range(MOST_PROBLEMS)}
    with pytest.raises(InvalidTable) as raised:
        check("agents", pl.DataFrame({"agent_id": ["a"], **columns}))
    assert len(raised.value.problems) == MOST_PROBLEMS


def test_without_members_everybody_is_a_member_of_every_named_queue():
    agents = check("agents", pl.DataFrame({"agent_id": ["a", "b"]}))
    tables, said = complete(Tables(agents, check("interactions", one("interactions"))))
    assert sorted(tables.members.select("queue_id", "agent_id").rows()) == [("q", "a"), ("q", "b")]
    assert len(said) == 2


def test_given_members_are_kept_and_unknown_agents_are_counted():
    agents = check("agents", one("agents"))
    members = check("members", pl.DataFrame({"queue_id": ["q", "q2"], "agent_id": ["a", "gone"]}))
    tables, said = complete(Tables(agents, TABLES["interactions"].empty(), members=members))
    assert tables.members.equals(members)
    assert tables.queues["queue_id"].to_list() == ["q", "q2"]
    assert any("gone" in sentence for sentence in said)


def test_no_agents_is_refused():
    with pytest.raises(InvalidTable, match="at least one agent"):
        complete(Tables(TABLES["agents"].empty(), TABLES["interactions"].empty()))
