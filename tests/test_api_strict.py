"""Bad requests: each is refused with where, what and the remedy, and none shakes the service."""

from __future__ import annotations

import gzip
import json

import pytest

from api.errors import STATUS, status_of
from api.http.messages import models
from engine import errors as engine_errors
from engine.spec import settings
from tests.small_service import BODY, client_of, refusal, write_centre

ROUTING, BATCH = "/simulate/routing", "/simulate/batch"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    write_centre(store)
    return client_of(store, max_body_bytes=10_000, max_interactions=20, max_outcomes=5)


def raw(client, path, content, **headers):
    return client.post(path, content=content, headers={"Content-Type": "application/json"} | headers)


# --- one field of a routing request at a time --------------------------------------------------------------

FIELDS = [
    ("queue_id", None, "/queue_id: found null; write a text in quotes"),
    ("queue_id", 7, "/queue_id: found 7; write a text in quotes"),
    ("queue_id", "", '/queue_id: found ""; write at least 1 character'),
    ("queue_id", "x" * 301, "write at most 300 characters"),
    ("queue_id", "a\x00b", "leave out control characters"),
    ("queue_id", ["sales"], "/queue_id: found a list of 1; write a text in quotes"),
    ("required_skill", False, "/required_skill: found false; write a text in quotes"),
    ("required_skill", {"name": "billing"}, "/required_skill: found an object; write a text in quotes"),
    ("required_skills", "billing", '/required_skills: found "billing"; write a list in square brackets'),
    ("required_skills", [None], "/required_skills/0: found null; write a text in quotes"),
    ("required_skills", ["x"] * 51, "/required_skills: found a list of 51; give at most 50 entries"),
    ("sla_target", "80", "write SHARE/SECONDS, for example 80/20"),
    ("sla_target", "0/20", "write SHARE/SECONDS"),
    ("sla_target", "8" * 41, "write at most 40 characters"),
    ("sla_target", 0.8, "write a text in quotes"),
    ("current_performance", "0.8", '/current_performance: found "0.8"; write a number'),
    ("current_performance", True, "/current_performance: found true; write a number"),
    ("current_performance", 1.01, "/current_performance: found 1.01; use 1 or less"),
    ("current_performance", -0.01, "use 0 or more"),
    ("current_performance", None, "/current_performance: found null; write a number"),
    ("start_date", "2024-02-30", '/start_date: found "2024-02-30"; write an existing day as YYYY-MM-DD'),
    ("start_date", "2024-W01-1", "write an existing day as YYYY-MM-DD"),
    ("start_date", "20240304", "write 2024-03-04"),
    ("start_date", "2024-03-04T00:00:00Z", "write 2024-03-04"),
    ("start_date", "٢٠٢٤-٠٣-٠٤", "write an existing day as YYYY-MM-DD"),
    ("start_date", 1709510400, "/start_date: found 1709510400; write a day as text"),
    ("start_date", "0001-01-01", "use a day from 1970-01-02 to 2199-12-30"),
    ("end_date", "9999-12-31", "use a day from 1970-01-02 to 2199-12-30"),
    ("end_date", None, "/end_date: found null; write a day as text"),
    ("snapshot", 1, "/snapshot: found 1; write a text in quotes"),
    ("weights", [0.4, 0.3, 0.3], "/weights: found a list of 3; write an object in braces"),
    ("weights", {"proficiency": -1}, "/weights/proficiency: found -1; use 0 or more"),
    ("weights", {"proficiency": 1e7}, "/weights/proficiency: found 10000000.0; use 1,000,000 or less"),
    ("weights", {"proficiency": False}, "/weights/proficiency: found false; write a number"),
    ("weights", {"historical_csats": 1}, "/weights/historical_csats: is not a field of this request; did you mean"),
    ("weights", None, "/weights: found null; write an object in braces"),
    ("top", 0, "/top: found 0; use 1 or more"),
    ("top", 2.0, "/top: found 2.0; write a whole number"),
    ("top", "5", '/top: found "5"; write a whole number'),
    ("top", True, "/top: found true; write a whole number"),
    ("top", 10**30, "use 10,000 or less"),
    ("required", "skills", '/required: found "skills"; write a list in square brackets'),
    ("required", ["today"], "/required/0: found \"today\"; use 'skills' or 'language'"),
    ("required", ["agents"], "/required/0: found \"agents\"; use 'skills' or 'language'"),
    ("required", ["skills"] * 3, "/required: found a list of 3; give at most 2 entries"),
    ("explain", 1, "/explain: found 1; write true or false"),
    ("explain", "true", '/explain: found "true"; write true or false'),
    ("live", "yes", '/live: found "yes"; write true or false'),
    ("queueid", "sales", "/queueid: is not a field of this request; did you mean queue_id?"),
    ("a/b~c", 1, "/a~1b~0c: is not a field of this request; remove it; known are queue_id, required_skill"),
]


@pytest.mark.parametrize(("name", "value", "wanted"), FIELDS, ids=lambda value: str(value)[:30])
def test_a_bad_field_is_named_with_what_was_found_and_the_remedy(client, name, value, wanted):
    found = client.post(ROUTING, json=BODY | {name: value})
    assert wanted in refusal(found, 422)
    (problem,) = found.json()["problems"]
    assert problem.keys() == {"where", "what", "remedy"}
    assert found.json()["title"] == "Invalid request"


def test_all_problems_of_a_request_are_told_up_to_twenty(client):
    found = client.post(ROUTING, json={"top": 0, "explain": 1, **{f"x{n}": n for n in range(40)}})
    assert "(and 44 more, see problems)" in refusal(found, 422)
    assert len(found.json()["problems"]) == 20
    missing = client.post(ROUTING, json={})
    assert "/queue_id: is missing; add it: Queue whose members are candidates." in refusal(missing, 422)
    assert [p["where"] for p in missing.json()["problems"]] == ["/queue_id", "/start_date", "/end_date"]
    many = client.post(ROUTING, json={f"x{n}": n for n in range(101)})
    assert "an object with more than 100 fields" in refusal(many, 422)


# --- requests that are well formed and still cannot be answered ------------------------------------------------

REFUSED = [
    ({"live": True}, 422, "live: this service is connected to no platform; set GENESYS_CLIENT_ID"),
    ({"queue_id": "sale"}, 404, "queue 'sale' is not in snapshot 'centre'; did you mean 'sales'?"),
    ({"queue_id": "?"}, 404, "known: 'sales', 'help', 'deserted'"),
    ({"queue_id": "deserted"}, 404, "queue 'deserted' of snapshot 'centre' has no agents"),
    ({"snapshot": "center"}, 404, "snapshot 'center' is not here; did you mean 'centre'?"),
    ({"snapshot": "../centre"}, 422, "snapshot name '../centre': use 1 to 100 letters"),
    ({"required_skill": "biling"}, 422, "no agent of this snapshot has the skill 'biling'; did you mean 'billing'?"),
    ({"required_skills": ["law"]}, 422, "no agent of this snapshot has the skill 'law'; known: 'billing', 'tech'"),
    ({"required_language": "de"}, 422, "no agent of this snapshot has the language 'de'"),
    ({"start_date": "2024-03-06"}, 422, "end_date 2024-03-05 lies before start_date 2024-03-06; swap them"),
    (
        {"weights": {"min_score_threshold": 0.95}},
        422,
        "no agent of queue 'sales' reached the threshold 0.95; the best score is 0.925; lower min_score_threshold",
    ),
    (
        {"queue_id": "help", "required_skills": ["tech"], "required_language": "fr", "required": ["skills"]},
        200,
        "",
    ),
    (
        {"weights": {"proficiency": 0, "language_match": 0, "historical_csat": 0}},
        422,
        "weights: all three are 0; at least one must be greater than 0",
    ),
]


@pytest.mark.parametrize(("changed", "status", "wanted"), REFUSED, ids=lambda value: str(value)[:30])
def test_a_request_that_cannot_be_answered_says_why(client, changed, status, wanted):
    found = client.post(ROUTING, json=BODY | changed)
    if status == 200:
        assert found.status_code == 200
    else:
        assert wanted in refusal(found, status)


def test_who_fails_the_hard_filter_is_not_said_to_miss_the_threshold(client):
    body = BODY | {"queue_id": "help", "required_language": "en", "required": ["language", "skills"]}
    assert client.post(ROUTING, json=body | {"required_skills": ["tech"]}).status_code == 200
    found = client.post(ROUTING, json=body | {"queue_id": "sales", "required_skills": ["tech"], "weights": {
        "proficiency": 0, "language_match": 0, "historical_csat": 1, "min_score_threshold": 0.9}})  # fmt: skip
    assert "the best score is 0.75" in refusal(found, 422)


# --- bodies that are no JSON -------------------------------------------------------------------------------

BODIES = [
    (b"", "the body is empty"),
    (b"  \n", "the body is empty"),
    (b"{", "Expecting property name enclosed in double quotes at line 1, column 2"),
    (b"{'queue_id': 1}", "Expecting property name"),
    (b'{"top": NaN}', "NaN is not JSON"),
    (b'{"top": Infinity}', "Infinity is not JSON"),
    (b'{"top": -Infinity}', "-Infinity is not JSON"),
    (b'{"top": 1, "top": 2}', "'top' stands twice in one object"),
    (b'{"weights": {"proficiency": 1, "proficiency": 1}}', "'proficiency' stands twice"),
    (b'{"top": ' + b"9" * 5000 + b"}", "a number has thousands of digits"),
    (b'{"queue_id": "\xff"}', "byte 14 of the body is not UTF-8"),
    (b'{"queue_id": "\xed\xa0\x80"}', "byte 14 of the body is not UTF-8"),
    (b'{"queue_id": "\\ud800"}', "half of a surrogate pair"),
    (b'{"\\udfff": 1}', "half of a surrogate pair"),
    (b"[" * 4000, "nested too deeply"),
    (b'{"a":' * 1500 + b"1" + b"}" * 1500, "nested too deeply"),
    (b"\xef\xbb\xbf{}", "BOM"),
    (b'{"queue_id": "a\nb"}', "Invalid control character"),
    (b"{} {}", "Extra data"),
]


@pytest.mark.parametrize("path", [ROUTING, BATCH])
@pytest.mark.parametrize(("content", "wanted"), BODIES, ids=lambda value: str(value)[:30])
def test_what_is_not_strict_json_is_refused(client, path, content, wanted):
    assert wanted in refusal(raw(client, path, content), 400)


@pytest.mark.parametrize("path", [ROUTING, BATCH])
@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"3", b"true"])
def test_json_that_is_no_object_is_refused(client, path, content):
    assert "write an object in braces" in refusal(raw(client, path, content), 422)


def test_a_number_too_large_for_a_float_is_not_finite(client):
    body = json.dumps(BODY)[:-1] + ', "weights": {"proficiency": 1e400}}'
    assert "/weights/proficiency: found Infinity; write a finite number" in refusal(raw(client, ROUTING, body), 422)
    huge = json.dumps(BODY)[:-1] + ', "weights": {"proficiency": 1' + "0" * 400 + "}}"
    assert "/weights/proficiency" in refusal(raw(client, ROUTING, huge), 422)


def test_a_whole_character_written_as_a_pair_is_read(client):
    body = json.dumps(BODY | {"queue_id": "\U0001f600"})
    assert "\\ud83d" in body
    assert "queue '\U0001f600' is not in snapshot" in refusal(raw(client, ROUTING, body), 404)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"Content-Type": "text/plain"}, "Content-Type is 'text/plain'; send -H 'Content-Type: application/json'"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "Content-Type is 'application/x-www-form-urlencoded'"),
        ({"Content-Type": ""}, "Content-Type is 'missing'"),
        ({"Content-Type": "application/json; charset=latin-1"}, "declared as 'latin-1'"),
        ({"Content-Encoding": "gzip"}, "Content-Encoding is 'gzip'; send the body as it is"),
    ],
)
def test_only_plain_json_is_taken(client, headers, wanted):
    content = gzip.compress(b"{}") if "Content-Encoding" in headers else json.dumps(BODY).encode()
    assert wanted in refusal(raw(client, ROUTING, content, **headers), 415)


def test_json_in_utf8_may_be_said_to_be_so(client):
    kind = 'application/JSON; charset="UTF-8"'
    assert raw(client, ROUTING, json.dumps(BODY), **{"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("path", [ROUTING, BATCH])
def test_a_large_body_is_refused_whether_it_is_declared_or_streamed(client, path):
    large = b'{"queue_id": "' + b"x" * 10_000 + b'"}'
    assert "the body has more than 10000 bytes" in refusal(raw(client, path, large), 413)

    def pieces():
        for start in range(0, len(large), 1000):
            yield large[start : start + 1000]

    assert "the body has more than 10000 bytes" in refusal(raw(client, path, pieces()), 413)
    lying = raw(client, path, pieces(), **{"Content-Length": "10"})
    assert "the body has more than 10000 bytes" in refusal(lying, 413)


# --- batches ---------------------------------------------------------------------------------------------------

TIME = "2024-03-04T09:00:00Z"
BATCHES = [
    ({"mode": "scores"}, "/mode: found \"scores\"; use 'score' or 'replay'"),
    ({"method": "fifo"}, "/method: found \"fifo\"; use 'weighted', 'genesys', 'bullseye'"),
    (
        {"method": "genesys"},
        "/method: method 'genesys' asks who is idle, and in score mode nobody is ever busy; use mode replay, or the",
    ),
    ({"mode": "replays", "method": "genesys"}, "/mode: found \"replays\"; use 'score' or 'replay'"),
    ({"answer_within_s": 5}, "/answer_within_s: found 5; a deadline cannot be kept yet"),
    ({"csat_missing": 1.5}, '/csat_missing: found 1.5; write a number from 0 to 1, or "queue-mean"'),
    ({"csat_missing": True}, "/csat_missing: found true; write a number"),
    ({"csat_missing": "mean"}, '/csat_missing: found "mean"; write a number'),
    ({"csat_shrinkage": -1}, "/csat_shrinkage: found -1; use 0 or more"),
    ({"seed": 1.5}, "/seed: found 1.5; write a whole number"),
    ({"expected": "even"}, "use 'eligible', 'uniform' or 'staffed'"),
    ({"expected": "staffed"}, "needs a staffing table, and this snapshot has none"),
    ({"csat": "none"}, "use 'asof' or 'all'"),
    ({"start_date": "2024-03-06", "end_date": "2024-03-05"}, "end_date 2024-03-05 lies before start_date"),
    ({"outcomes": True}, "/outcomes: outcomes of a whole snapshot do not go into one answer; leave it out"),
    ({"interactions": {}}, "/interactions: found an object; write a list"),
    ({"handle": [1.1] * 101, "mode": "replay"}, "/handle: found a list of 101; give at most 100 entries"),
    ({"interactions": []}, "/interactions: found an empty list; give at least one interaction"),
    ({"interactions": [3]}, "/interactions/0: found 3; write an object in braces"),
    ({"interactions": [{}]}, "/interactions/0: interaction_id is missing; give each interaction a unique id"),
    ({"interactions": [{"id": None}]}, "/interactions/0/id: found null; must not be empty"),
    ({"interactions": [{"id": 1}]}, "/interactions/0/id: found 1; write a text in quotes"),
    ({"interactions": [{"id": ""}]}, '/interactions/0/id: found ""; write 1 to 300 characters'),
    ({"interactions": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}, '/interactions/2/id: found "a"; stands there already'),
    (
        {"interactions": [{"id": "a", "interaction_id": "a"}]},
        "interaction_id and id both mean interaction_id; keep one",
    ),
    ({"interactions": [{"id": "a", "skill": "x"}]}, "/interactions/0/skill: is not a field of an interaction; did you"),
    ({"interactions": [{"id": "a", "phone": "1"}]}, "/interactions/0/phone: is not a field of an interaction; remove"),
    ({"interactions": [{"id": "a", "csat": False}]}, "/interactions/0/csat: found false; write a finite number"),
    ({"interactions": [{"id": "a", "handle_s": -1}]}, "/interactions/0/handle_s: found -1.0; must be at least 0"),
    ({"interactions": [{"id": "a", "handle_s": 10**400}]}, "/interactions/0/handle_s: found 1000"),
    ({"interactions": [{"id": "a", "priority": "high"}]}, '/interactions/0/priority: found "high"; write a finite'),
    (
        {"interactions": [{"id": "a", "eligible_count": 2**31}]},
        "eligible_count: found 2147483648; write a whole number",
    ),
    ({"interactions": [{"id": "a", "eligible_count": 1.0}]}, "eligible_count: found 1.0; write a whole number"),
    ({"interactions": [{"id": "a", "media": "fax"}]}, '/interactions/0/media: found "fax"; must be one of voice'),
    ({"interactions": [{"id": "a", "required_skill": ["x"]}]}, "required_skill: found a list of 1; write a text"),
    ({"interactions": [{"id": "a", "skills": "x"}]}, '/interactions/0/skills: found "x"; write a list of at most 50'),
    ({"interactions": [{"id": "a", "skills": ["x", 1]}]}, "/interactions/0/skills: found a list of 2; write a list"),
    ({"interactions": [{"id": "a", "skills": ["x"] * 51}]}, "/interactions/0/skills: found a list of 51; write a list"),
    (
        {"interactions": [{"id": "a", "skills": ["x\x1fy"]}]},
        "/interactions/0/skills: found a list of 1; write 1 to 300",
    ),
    ({"interactions": [{"id": "a", "language": "\x00"}]}, "without control characters"),
    ({"interactions": [{"id": "a", "preferred": [{"agent": "ada"}]}]}, "/interactions/0/preferred: found a list of 1"),
    ({"interactions": [{"id": "a", "arrived_at": 5}]}, "/interactions/0/arrived_at: found 5; write a time as text"),
    ({"interactions": [{"id": "a", "arrived_at": "now"}]}, '/interactions/0/arrived_at: found "now"; must be a time'),
    (
        {"interactions": [{"id": "a", "arrived_at": "2024-03-04T09:00:00"}]},
        "has no time zone; write it as in 2024-03-01T09:30:00Z",
    ),
    ({"interactions": [{"id": "a", "arrived_at": "1066-10-14T09:00:00Z"}]}, "must lie in the years 1970 to 2199"),
    (
        {"interactions": [{"id": "a"}, {f"x{n}": n for n in range(101)}]},
        "/interactions/1: an object with more than 100 fields; use those of this request, see /docs",
    ),
    (
        {"interactions": [{"id": "a", "arrived_at": TIME}, {"id": "b"}]},
        "/interactions/1/arrived_at: is missing here; give it in all 2 interactions or in none",
    ),
    (
        {"interactions": [{"id": "a"}, {"id": "b", "queue_id": "sales"}]},
        "/interactions/0/queue_id: is missing here; give it in all 2 interactions or in none",
    ),
    ({"interactions": [{"id": "a"}], "csat": "asof"}, '/csat: found "asof", but the interactions have no times'),
    ({"interactions": [{"id": "a"}], "end_date": "2024-03-05"}, "/end_date: the interactions have no times of arrival"),
]


@pytest.mark.parametrize(("body", "wanted"), BATCHES, ids=lambda value: str(value)[:60])
def test_a_bad_batch_is_refused_with_place_and_remedy(client, body, wanted):
    detail = refusal(client.post(BATCH, content=json.dumps(body), headers={"Content-Type": "application/json"}), 422)
    assert wanted in detail
    assert "--time-zone" not in detail


def test_each_field_of_the_interactions_is_told_once_by_its_first_row(client):
    rows = [{"id": "a"}, {"id": 1, "csat": True, "phone": 1}, {"id": 2, "csat": "x", "skills": [1, 2], "phone": 1}]
    found = client.post(BATCH, json={"interactions": rows}).json()["problems"]
    wheres = ["/interactions/1/csat", "/interactions/1/id", "/interactions/1/phone", "/interactions/2/skills"]
    assert sorted(problem["where"] for problem in found) == wheres


def test_too_many_interactions_or_outcomes_are_refused_with_the_other_way(client):
    rows = [{"id": str(n)} for n in range(21)]
    detail = refusal(client.post(BATCH, json={"interactions": rows}), 413)
    assert detail.startswith(
        "more than 20 inline interactions, and this service takes no more at a time; send fewer, or"
    )
    assert client.post(BATCH, json={"interactions": rows[:20]}).status_code == 200
    detail = refusal(client.post(BATCH, json={"interactions": rows[:6], "outcomes": True}), 413)
    assert "this service gives 5 at a time" in detail


def test_more_different_requests_than_fit_are_refused(client, monkeypatch):
    rows = [{"id": str(n), "required_skill": f"s{n}"} for n in range(5)]
    monkeypatch.setattr("api.http.inline.arrays.MOST_CELLS", 4 * 4)
    detail = refusal(client.post(BATCH, json={"interactions": rows}), 413)
    assert detail.startswith(
        "5 different combinations of queue, skills and language are too many at a time for 4 agents"
    )
    assert "send at most 4" in detail
    monkeypatch.setattr("api.http.inline.rows.MOST_NAMES", 4)
    assert "5 different skills; use at most 4" in refusal(client.post(BATCH, json={"interactions": rows}), 422)


# --- tables that must not drift apart ---------------------------------------------------------------------------


def test_every_error_of_the_engine_has_a_status_and_children_inherit_one():
    kinds = [kind for kind in vars(engine_errors).values() if isinstance(kind, type)]
    assert all(kind in STATUS for kind in kinds)

    class Stricter(engine_errors.InvalidScenario):
        pass

    assert status_of(Stricter("x")) == STATUS[engine_errors.InvalidScenario]
    assert status_of(ValueError("x"))[0] == 500


@pytest.mark.parametrize(
    "one", [one for one in settings() if one.words and len(one.path) == 1], ids=lambda one: one.name
)
def test_the_requests_allow_what_the_engine_allows(one):
    schema = models.BatchRequest.model_json_schema()["properties"][one.http]
    found = [*schema.get("anyOf", ()), schema]
    found += [each.get("items", {}) for each in found]
    assert [*one.words] in [each["enum"] for each in found if "enum" in each]
