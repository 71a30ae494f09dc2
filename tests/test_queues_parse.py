"""Queues keep their settings, names stay apart, and whatever is kept can be replayed."""

import copy
import json
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.checks import check
from engine.data.encode import encode
from engine.data.tables import TABLES, Tables
from engine.errors import InvalidScenario, UnknownName
from engine.methods.settings import Ring, Rule, rings_of, rules_of, unsupported
from ingest.genesys.objects.queues import choose_queues, fetch_names, fetch_queues, names_of, parse_queues
from tests.payloads import PERSONAL, Answers, damaged, nodes, paged

QUEUE = {
    "id": "q1",
    "name": "Billing",
    "skillEvaluationMethod": "BEST",
    "scoringMethod": "PriorityOnly",
    "memberCount": 7,
    "createdBy": PERSONAL,
    "mediaSettings": {
        "chat": {"alertingTimeoutSeconds": 30, "serviceLevel": {"percentage": 0.5, "durationMs": 60_000}},
        "call": {"alertingTimeoutSeconds": 8, "serviceLevel": {"percentage": 0.9, "durationMs": 12_500}},
    },
    "bullseye": {
        "rings": [
            {
                "expansionCriteria": [{"type": "TIMEOUT_SECONDS", "threshold": 30}],
                "actions": {"skillsToRemove": [{"id": "s1", "name": "as the platform calls it", "selfUri": PERSONAL}]},
                "memberGroups": [{"id": "g1", "type": "TEAM", "name": PERSONAL}],
            },
            {"expansionCriteria": [], "actions": {}},
        ]
    },
    "routingRules": [
        {"operator": "MEETS_THRESHOLD", "threshold": 80, "waitSeconds": 12.5, "note": PERSONAL},
        {"operator": "ANY", "waitSeconds": 5},
    ],
    "conditionalGroupRouting": {
        "rules": [
            {
                "queue": {"id": "q2", "name": PERSONAL},
                "metric": "EstimatedWaitTime",
                "operator": "GreaterThan",
                "conditionValue": 60,
                "waitSeconds": 10,
                "groups": [{"id": "g2", "type": "GROUP", "name": PERSONAL}],
            }
        ]
    },
    "conditionalGroupActivation": {
        "pilotRule": {
            "conditions": [
                {"simpleMetric": {"metric": "IdleAgentCount", "queue": {"id": "q1"}}, "operator": "Less", "value": 3}
            ],
            "conditionExpression": "C1",
        },
        "rules": [],
    },
}  # fmt: skip
SKILLS = {"s1": "billing (s1)"}


def parsed(*entities):
    frame, counts = parse_queues(list(entities), SKILLS)
    assert dict(frame.schema) == TABLES["queues"].schema()
    return frame, counts


def centre(frame):
    agents = check("agents", pl.DataFrame({"agent_id": ["a"]}))
    return encode(Tables(agents, TABLES["interactions"].empty(), queues=check("queues", frame))).centre


def test_settings_of_calls_stand_for_the_queue():
    frame, counts = parsed(QUEUE)
    row = frame.row(0, named=True)
    names = ("queue_id", "queue_name", "evaluation_method", "scoring_method", "service_level_share", "service_level_s",
             "alerting_timeout_s")  # fmt: skip
    assert [row[name] for name in names] == ["q1", "Billing", "BEST", "PriorityOnly", 0.9, 12.5, 8.0]
    assert counts == {}


def test_without_calls_the_first_medium_that_has_them():
    only_chat = {**QUEUE, "mediaSettings": {"email": {}, "chat": QUEUE["mediaSettings"]["chat"], "call": {}}}
    frame, _ = parsed(only_chat)
    assert frame.select("service_level_share", "service_level_s", "alerting_timeout_s").row(0) == (0.5, 60.0, 30.0)


def test_what_is_kept_of_rings_and_rules_is_read_back():
    frame, _ = parsed(QUEUE)
    settings = centre(frame)
    assert rings_of(settings) == [(Ring(30.0, ("billing (s1)", "s1")), Ring(None))]
    assert rules_of(settings) == [(Rule(12.5, 80.0), Rule(5.0))]
    assert "'q1'" in unsupported(settings)[0]


def test_json_is_compact_sorted_and_without_people():
    row = parsed(QUEUE)[0].row(0, named=True)
    for name in ("rings", "routing_rules", "conditional_groups"):
        value = json.loads(row[name])
        assert row[name] == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert PERSONAL not in str(row)
    assert (
        json.loads(row["conditional_groups"])["conditionalGroupActivation"]["pilotRule"]["conditionExpression"] == "C1"
    )
    assert json.loads(row["rings"])[0]["memberGroups"] == [{"id": "g1", "type": "TEAM"}]


def test_empty_blocks_are_null():
    empty = {"id": "q1", "bullseye": {"rings": []}, "routingRules": [], "conditionalGroupRouting": {"rules": []},
             "conditionalGroupActivation": {"pilotRule": {}, "rules": []}}  # fmt: skip
    frame, counts = parsed(empty, {"id": "q2"})
    assert frame.drop("queue_id").null_count().row(0) == (2,) * 9
    assert counts == {}
    assert check("queues", frame)["service_level_share"].to_list() == [0.8, 0.8]


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"skillEvaluationMethod": "WORST"}, "evaluation_method", "skillEvaluationMethod"),
        ({"scoringMethod": 7}, "scoring_method", "scoringMethod"),
        ({"mediaSettings": {"call": {"serviceLevel": {"percentage": 80}}}}, "service_level_share", "percentage"),
        ({"mediaSettings": {"call": {"serviceLevel": {"durationMs": "20000"}}}}, "service_level_s", "durationMs"),
        ({"bullseye": {"rings": [{}, {}]}}, "rings", "no time-out"),
        ({"bullseye": {"rings": "many"}}, "rings", "rings"),
        ({"routingRules": [{"operator": "SOME", "waitSeconds": 1}]}, "routing_rules", "operator"),
        ({"routingRules": [{"operator": "ANY"}]}, "routing_rules", "waitSeconds"),
    ],
)
def test_what_cannot_be_used_is_left_to_defaults_and_counted(change, column, said):
    frame, counts = parsed({**QUEUE, **change})
    assert frame[column][0] is None
    assert [count for reason, count in counts.items() if said in reason] == [1]


@given(st.integers(0, 2**32), st.integers(1, 10))
def test_damage_never_stops_and_what_is_left_can_be_replayed(seed, times):
    entities = [QUEUE, damaged(QUEUE, seed, times), None, 3, {}]
    frame, counts = parsed(*entities)
    assert counts["left out: queues without id"] >= 3
    settings = centre(frame)
    rings_of(settings), rules_of(settings), unsupported(settings)


NAMES = ("A", "B", "A (01234567)", "A (01234567) (0123456789-11)", None, "", "x\x01y")


@given(st.integers(0, 2**32))
def test_a_name_stands_for_one_id(seed):
    draw = random.Random(seed)
    entities = [
        {"id": f"0123456789-{number:02}", "name": draw.choice(NAMES),
         "state": draw.choice(["active", "deleted", "inactive", None])}
        for number in range(12)
    ]  # fmt: skip
    names = names_of(entities)
    assert list(names) == [entity["id"] for entity in entities]
    assert len(set(names.values())) == 12
    mixed = entities.copy()
    draw.shuffle(mixed)
    assert names_of(mixed) == names
    plain = [entity["name"] for entity in entities if names[entity["id"]] == entity["name"]]
    for entity in entities:
        if entity["name"] in ("A", "B"):
            assert entity["name"] in plain
            if names[entity["id"]] == entity["name"] and entity["state"] in ("deleted", "inactive"):
                same = [each for each in entities if each["name"] == entity["name"]]
                assert all(each["state"] in ("deleted", "inactive") for each in same)


def test_queues_are_chosen_by_id_or_name_once():
    entities = [{"id": "q1", "name": "Billing"}, {"id": "q2", "name": "q1"}, {"id": "q3", "name": "Tech"}]
    assert [each["id"] for each in choose_queues(entities, ["Tech", "q1", "Billing", "q3"])] == ["q3", "q1"]
    assert len(choose_queues(entities, [])) == 3
    with pytest.raises(UnknownName, match="'Billing'"):
        choose_queues(entities, ["Biling"])
    with pytest.raises(InvalidScenario, match="use an id: q1, q4"):
        choose_queues([*entities, {"id": "q4", "name": "Billing"}], ["Billing"])


def test_listings_are_read_to_the_end():
    entities = [{"id": f"q{number}"} for number in range(5)]
    reader = Answers(get=paged(entities))
    assert fetch_queues(reader) == entities
    assert fetch_names(reader, "languages") == entities
    assert {path for path, *_ in reader.asked} == {"/api/v2/routing/queues", "/api/v2/routing/languages"}


def test_payloads_are_not_changed():
    before = copy.deepcopy(QUEUE)
    parsed(QUEUE)
    assert before == QUEUE and len(list(nodes(QUEUE))) > 50
