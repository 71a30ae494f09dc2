"""The documentation runs: every example is answered as it says, on any snapshot, with nothing from elsewhere."""

from __future__ import annotations

import html
import json
import re
import shlex
from datetime import date
from pathlib import Path

import pytest

import api
from api.errors import STATUS, anchor
from api.http.docs.examples import ROUTING, SAMPLE, examples, names_of
from ingest.files import import_files
from ingest.synthetic import make
from tests.small_files import SAMPLE as SAMPLE_FILES
from tests.small_service import BODY, FIRST, STAFFING, app_of, client_of, worked_of, write_centre


def sample(store):
    import_files(store, "sample", **SAMPLE_FILES)


def synthetic(store):
    make(store, "made-up", interactions=2000, days=5, agents=12, queues=3)


def without_skills(store):
    write_centre(store, arrivals=[])


@pytest.fixture(scope="module", params=[write_centre, sample, synthetic, without_skills], ids=lambda f: f.__name__)
def client(request, tmp_path_factory):
    """A service over a snapshot of some kind, which nobody changes."""
    store = tmp_path_factory.mktemp("store")
    request.param(store)
    return client_of(store)


def test_every_documented_example_is_answered_as_the_page_says(client):
    worked = worked_of(client.app.state.service)
    assert {example.status for example in worked} == {200, 404, 422}
    for example in worked:
        found = client.post(example.path, json=example.body)
        assert found.status_code == example.status, (example.name, found.text)


def test_every_example_of_the_description_is_answered(client):
    description = client.get("/openapi.json").json()
    n_examples = 0
    for path, methods in description["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            assert client.post(path, json=example["value"]).status_code == 200
            n_examples += 1
    # A replay of the snapshot is shown where its days hold what that needs.
    names = {example.name for example in worked_of(client.app.state.service)}
    assert ("batch-replay" in names) == ("unstaffed" not in names)
    assert ("study" in names) == ("batch-replay" in names)
    assert n_examples == 8 + 2 * ("batch-replay" in names)


@pytest.mark.parametrize(("make_store", "can"), [(write_centre, False), (sample, True), (synthetic, True)])
def test_a_replay_is_shown_where_a_snapshot_holds_what_that_needs(tmp_path, make_store, can):
    make_store(tmp_path)
    page = client_of(tmp_path).get("/docs").text
    assert ('id="batch-replay"' in page) == can
    assert ('id="unstaffed"' in page) != can
    # How to read the answer stands beside it, and its fields in the tables.
    assert ("whether today's rule, replayed, gives the waits" in html.unescape(page)) == can
    for field in ("replay.light.color", "service_level.by_interval.start", "assumptions.join_gap_s", "outcomes.wait_s"):
        assert page.count(f"<code>{field}</code>") == 1
    assert "The same scenario with the weights as given. Fields as in replay.columns." in page
    assert "<code>replay.goal.without.asa_s</code>" not in page


def test_staffing_without_interactions_replays_nothing_and_is_shown(tmp_path):
    write_centre(tmp_path, arrivals=[], staffing=STAFFING)
    client = client_of(tmp_path)
    assert 'id="batch-replay"' in client.get("/docs").text
    test_every_documented_example_is_answered_as_the_page_says(client)


def test_interactions_without_handling_times_are_not_offered_for_replay(tmp_path):
    write_centre(tmp_path, staffing=STAFFING, handle_s=None)
    client = client_of(tmp_path)
    assert 'id="batch-replay"' not in client.get("/docs").text
    test_every_documented_example_is_answered_as_the_page_says(client)


def test_every_command_on_the_page_is_the_example_it_shows(client):
    page = client.get("/docs").text
    commands = [shlex.split(html.unescape(text)) for text in re.findall(r"<pre>(curl .*?)</pre>", page, re.DOTALL)]
    posted = [c for c in commands if "-d" in c]
    worked = sorted(worked_of(client.app.state.service), key=lambda example: example.path != ROUTING)
    assert [(c[2], json.loads(c[-1])) for c in posted] == [(f"http://testserver{e.path}", e.body) for e in worked]
    for command in commands:
        if "-d" not in command:
            assert client.get(command[2]).status_code == 200


def test_the_sample_names_fit_the_sample_files(tmp_path):
    sample(tmp_path)
    client = client_of(tmp_path)
    for example in examples(SAMPLE):
        assert client.post(example.path, json=example.body).status_code == example.status, example.name


def test_examples_speak_of_what_occurs_in_the_snapshot(tmp_path):
    write_centre(tmp_path)
    names = names_of(app_of(tmp_path).state.service.snapshots.get())
    assert (names.queue_id, names.skill, names.language) == ("sales", "billing", "en")
    # In Berlin the first interaction falls on the 3rd, late in the evening, and the last on the 6th at midnight.
    assert (names.start_date, names.end_date) == (date(2024, 3, 3), date(2024, 3, 6))


def test_the_page_loads_nothing_from_other_hosts(client):
    found = client.get("/docs")
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    loaded = re.findall(r'(?:src|href)="([^"]*)"', found.text)
    assert all(re.match(r"/(?!/)|data:,$|#", link) for link in loaded), loaded
    # Nothing inline: the policy would stop it.
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", found.text)
    for link in loaded:
        if link.startswith("/"):
            assert client.get(link).status_code == 200, link
    for file in (Path(api.__file__).parent / "http" / "static").iterdir():
        assert not re.search(r"https?://|@import", file.read_text()), file


def test_names_of_a_snapshot_are_text_and_nothing_else_on_the_page(tmp_path):
    evil = "</pre><script>alert('1')</script>\"&amp;"
    agents = [("ada", evil, [{"name": evil, "proficiency": 5.0}], [], None)]
    write_centre(tmp_path, agents=agents, arrivals=[("i0", "sales", FIRST, [evil], None)])
    client = client_of(tmp_path)
    page = client.get("/docs").text
    assert "<script>alert" not in page
    assert html.escape(evil) not in page  # in a command it is quoted for the shell first
    test_every_command_on_the_page_is_the_example_it_shows(client)
    assert worked_of(client.app.state.service)[0].body["required_skill"] == evil


def test_every_kind_of_error_is_told_about_where_its_type_points(client):
    page = client.get("/docs").text
    for _, title in STATUS.values():
        assert f'id="{anchor(title)}"' in page
    found = client.post("/simulate/routing", json=BODY | {"top": 0}).json()
    assert found["type"] == "/docs#invalid-request"


def test_the_start_page_leads_to_the_documentation(client):
    found = client.get("/", follow_redirects=False)
    assert found.headers["location"] == "/docs"
    assert client.get("/").status_code == 200


def test_answers_cannot_be_taken_for_something_else(client):
    for path in ("/docs", "/healthz", "/nowhere", "/static/docs.css"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
