"""From an organisation over real HTTP to a snapshot: it comes out as it went in, once, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from shutil import copytree

import polars as pl
import pytest

from engine.errors import InvalidScenario, InvalidTable, MissingInput, NotWritable, SnapshotExists, UnknownName
from ingest.double import PLANTED, Double, Faults, Organisation, organisation
from ingest.files import pseudonyms
from ingest.genesys import Scale, Span, Wanted, import_genesys
from ingest.genesys.collecting.notes import NOT_ACD
from ingest.genesys.collecting.parts import PartStore
from ingest.genesys.collecting.running import Stopped
from ingest.platform.errors import AccessRefused, JobFailed, PlatformUnavailable
from ingest.snapshot import store as stores
from ingest.snapshot.manifest_reading import read_manifest
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from ingest.synthetic import make
from tests.double_expected import expected_of
from tests.small_platform import NOW, content, means_for, same, small, wanted_for

HOUR = timedelta(hours=1)
# Both days may still change.
SOON = NOW.replace(month=1, day=8)
SAID = (
    "interaction_id",
    "queue_id",
    "arrived_at",
    "media",
    "skills",
    "language",
    "outcome",
    "agent_id",
    "wait_s",
    "handle_s",
)


@pytest.fixture
def double():
    with Double(small()) as running:
        yield running


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store into which all has been read, to be copied and never changed, and what was done."""
    store = tmp_path_factory.mktemp("whole")
    with Double(small()) as running:
        return store, read(store, running)


@pytest.fixture
def held(whole, tmp_path):
    """A copy of it."""
    return copytree(whole[0], tmp_path, dirs_exist_ok=True)


def read(store, double, name="n", wanted=None, **more):
    return import_genesys(store, name, wanted or wanted_for(double.organisation), means_for(double), **more)


def _later(seconds: pl.Expr) -> pl.Expr:
    return pl.col("arrived_at") + pl.duration(milliseconds=(1000 * seconds).round().cast(pl.Int64))


class TestRoundTrip:
    def test_an_organisation_of_given_tables_comes_out_as_it_went_in(self, tmp_path):
        make(tmp_path, "made", interactions=600, agents=15, queues=3, days=3, seed=5)
        made = Organisation.of_tables(open_snapshot(tmp_path, "made").tables())
        with Double(made) as double:
            read(tmp_path, double)
        found, tables = open_snapshot(tmp_path, "n"), made.tables
        visits = found.table("interactions").with_columns(pl.col("interaction_id").str.strip_suffix("#1"))
        same(visits, tables.interactions, *SAID)
        same(found.table("agents"), tables.agents, "agent_id", "agent_name", "skills", "languages", "group")
        same(found.table("members"), tables.members, *tables.members.columns)
        same(found.table("staffing"), tables.staffing, *tables.staffing.columns)
        same(found.table("queues"), tables.queues, "queue_id", "queue_name", "evaluation_method", "scoring_method",
             "service_level_share", "service_level_s")  # fmt: skip
        surveys = found.table("surveys").with_columns(pl.col("interaction_id").str.strip_suffix("#1"))
        same(surveys, tables.surveys, *tables.surveys.columns)
        assert found.table("busy").is_empty()

    def test_all_oddities_come_out_as_they_must(self, whole):
        store, done = whole
        found, expected = open_snapshot(store, "n"), expected_of(small())
        same(found.table("interactions"), expected.visits, *SAID, "alert_s", "acw_s")
        same(found.table("surveys"), expected.surveys, "survey_id", "interaction_id", "agent_id", "queue_id", "score")
        same(found.table("agents"), expected.agents, "agent_id", "skills", "languages")
        same(found.table("queues"), expected.queues, "queue_id", "evaluation_method", "service_level_s")
        end = found.table("staffing")["end_at"].max()
        staffing = expected.staffing.with_columns(pl.col("end_at").fill_null(end))
        same(found.table("staffing"), staffing, "agent_id", "start_at", "end_at")
        assert expected.members.join(found.table("members"), on=["queue_id", "agent_id"], how="anti").is_empty()
        assert any("all half hours agree" in sentence for sentence in done.manifest.assumptions)

    def test_work_elsewhere_is_busy_and_nothing_else_is(self, held):
        busy, expected = open_snapshot(held, "n").table("busy"), expected_of(small())
        # After-call work of those who let it ring is none, and one agent's work through no queue does not count.
        facts = small().facts
        assert expected.missed.filter(pl.col("done_at") > pl.col("end_at")).height and facts.non_acd_ignored
        of_queue = [call.conversation_id for call in facts.calls if call.queue_id is not None]
        ignored = pl.col("agent_id").is_in(list(facts.non_acd_ignored)) & ~pl.col("conversation_id").is_in(of_queue)
        spells = expected.busy.filter(~ignored)
        assert spells.height < expected.busy.height
        same(busy, spells, "agent_id", "start_at", "end_at")
        assert set(busy["media"]) == {"voice"}
        counted = open_snapshot(held, "n").manifest.repairs[NOT_ACD]
        assert counted == expected.busy.height - spells.height

    def test_chosen_queues_limit_what_is_reported_not_what_keeps_agents_busy(self, tmp_path):
        make(tmp_path, "made", interactions=400, agents=10, queues=2, days=1, seed=8)
        made = Organisation.of_tables(open_snapshot(tmp_path, "made").tables())
        with Double(made) as double:
            read(tmp_path, double, wanted=wanted_for(made, "Queue 1"))
        found = open_snapshot(tmp_path, "n")
        calls = made.tables.interactions
        same(found.table("interactions").with_columns(pl.col("interaction_id").str.strip_suffix("#1")),
             calls.filter(pl.col("queue_id") == "q1"), *SAID)  # fmt: skip
        members = made.tables.members.filter(pl.col("queue_id") == "q1")
        elsewhere = calls.filter((pl.col("queue_id") == "q2") & (pl.col("outcome") == "answered")).join(
            members.select("agent_id"), on="agent_id", how="semi"
        )
        # An agent is at work from ringing to the end of after-call work.
        rings_s = pl.col("wait_s") - pl.col("alert_s").fill_null(0)
        spells = elsewhere.select(
            "agent_id", start_at=_later(rings_s), end_at=_later(pl.col("wait_s") + pl.col("handle_s"))
        )
        assert elsewhere.height > 20
        within = spells.with_columns(pl.col("end_at").clip(upper_bound=found.table("busy")["end_at"].max()))
        same(found.table("busy"), within, "agent_id", "start_at", "end_at")


class TestAgain:
    def test_running_twice_changes_nothing(self, tmp_path, double):
        first = read(tmp_path, double)
        before = content(tmp_path / "n")
        second = read(tmp_path, double)
        assert (first.changed, second.changed, second.parts_read) == (True, False, 0)
        assert second.manifest.created == first.manifest.created
        assert content(tmp_path / "n") == before

    def test_a_longer_span_reads_only_new_days_and_ends_as_if_read_at_once(self, tmp_path, double):
        whole = wanted_for(double.organisation)
        part = wanted_for(double.organisation)
        short = type(part)(part.queues, type(part.span)(part.span.first, part.span.first))
        read(tmp_path, double, "grown", wanted=short)
        asked = len(double.requests)
        read(tmp_path, double, "grown", wanted=whole)
        first_day = part.span.first.isoformat()
        assert not [path for _, path in double.requests[asked:] if first_day in path]
        read(tmp_path, double, "once", wanted=whole)
        assert read_manifest(tmp_path / "grown").id == read_manifest(tmp_path / "once").id

    def test_another_queue_is_added_without_reading_the_first_again(self, tmp_path, double):
        read(tmp_path, double, "grown", wanted=wanted_for(double.organisation, "Queue 1"))
        read(tmp_path, double, "grown")
        read(tmp_path, double, "once")
        assert read_manifest(tmp_path / "grown").id == read_manifest(tmp_path / "once").id

    def test_the_last_days_are_read_again_until_surveys_have_come(self, tmp_path, double):
        soon = NOW.replace(month=1, day=8)
        wanted = wanted_for(double.organisation)
        first = import_genesys(tmp_path, "n", wanted, means_for(double, now=soon))
        later = import_genesys(tmp_path, "n", wanted, means_for(double, now=soon + timedelta(days=1)))
        last = import_genesys(tmp_path, "n", wanted, means_for(double, now=soon + timedelta(days=30)))
        settled = import_genesys(tmp_path, "n", wanted, means_for(double, now=soon + timedelta(days=31)))
        # Four parts a day; the first of the two days settles on the 9th, the second on the 10th.
        assert [run.parts_read for run in (first, later, last, settled)] == [8, 8, 4, 0]
        assert not later.changed

    def test_a_lost_day_is_read_again_and_nothing_else(self, tmp_path, double, held):
        before = content(tmp_path / "n")
        parts = PartStore(stores.companion(tmp_path, "n"))
        gone = parts.parts()[0].folder
        gone.rename(gone.with_suffix(".unfinished"))
        assert read(tmp_path, double).parts_read == 1
        assert content(tmp_path / "n") == before

    def test_days_that_may_still_change_are_read_again_by_the_very_next_run(self, tmp_path, double):
        wanted = wanted_for(double.organisation)
        runs = [import_genesys(tmp_path, "n", wanted, means_for(double, now=SOON + n * HOUR)) for n in range(2)]
        assert [run.parts_read for run in runs] == [8, 8]

    @pytest.mark.parametrize(("later", "read_again"), [(1, False), (11, False), (13, True)])
    def test_a_run_that_was_cut_off_goes_on_for_half_a_day(self, tmp_path, double, later, read_again):
        """What it has read itself is kept, though it may still change."""
        kept = self.cut_off(tmp_path)
        done = import_genesys(tmp_path, "n", wanted_for(small()), means_for(double, now=SOON + later * HOUR))
        assert done.parts_read == (8 if read_again else 8 - kept)

    def test_a_clock_that_was_set_back_does_not_have_days_read_for_ever(self, tmp_path, double):
        PartStore(stores.companion(tmp_path, "n")).remember(run_started=(SOON + 5 * HOUR).isoformat())
        kept = self.cut_off(tmp_path)
        done = import_genesys(tmp_path, "n", wanted_for(small()), means_for(double, now=SOON + HOUR))
        assert done.parts_read == 8 - kept

    def cut_off(self, store):
        """Have a run fail on its first day; how many parts it read."""
        failing = Faults([("job_submit", n, "job_failed") for n in (2, 3, 4)])
        with Double(small(), faults=failing) as broken, pytest.raises(JobFailed):
            import_genesys(store, "n", wanted_for(small()), means_for(broken, now=SOON, threads=1))
        kept = len(PartStore(stores.companion(store, "n")).parts())
        assert 0 < kept < 8
        return kept

    def test_the_last_days_of_another_zone_are_compared_within_its_days(self, tmp_path, double):
        first = wanted_for(double.organisation).span.first
        done = read(tmp_path, double, wanted=Wanted(("Queue 1",), Span(first, first, "America/New_York")))
        arrived = open_snapshot(tmp_path, "n").table("interactions")["arrived_at"]
        assert arrived.min() >= datetime(2026, 1, 5, 5, tzinfo=UTC)
        assert arrived.max() < datetime(2026, 1, 6, 5, tzinfo=UTC)
        assert any("all half hours agree" in sentence for sentence in done.manifest.assumptions)

    def test_agents_of_a_queue_that_is_no_longer_chosen_leave_all_tables(self, tmp_path, double, held):
        read(tmp_path, double, wanted=wanted_for(double.organisation, "Queue 1"), replace=True)
        found = open_snapshot(tmp_path, "n")
        ours = set(found.table("members")["agent_id"])
        assert len(ours) < double.organisation.tables.agents.height
        for name in ("agents", "staffing", "busy"):
            assert set(found.table(name)["agent_id"]) <= ours, name
        assert set(found.table("aggregates")["queue_id"]) == {"q1"}

    def test_what_is_counted_happened(self, whole):
        repairs = whole[1].manifest.repairs
        assert all(repairs.values())
        # Of queues, of agents, of conversations.
        facts = small().facts
        assert repairs["merged: members listed twice in a queue"] == len(facts.twice)
        assert repairs["left out: skills of agents that are not active"] == len(facts.inactive_skills)
        assert repairs["left out: alerts that an agent did not answer"] == len(facts.missed)

    def test_progress_is_told_from_the_first_day_to_the_last(self, tmp_path, double):
        told = []
        read(tmp_path, double, progress=lambda *what: told.append(what))
        for step in ("read queues, days", "read agents, days"):
            assert [what[1:] for what in told if what[0] == step] == [(0, 2), (1, 2), (2, 2)]
        assert [what[1:] for what in told if what[0] == "sort out"] == [(n, 4) for n in range(1, 5)]


class TestDeparted:
    """An agent who answered and has left the queue since."""

    @pytest.fixture
    def done(self, tmp_path, double):
        means = means_for(double)
        gone = double.organisation.tables.interactions.filter(queue_id="q1")["agent_id"].drop_nulls()[0]

        class Without:
            """The platform after an agent has left all queues."""

            def __init__(self, client):
                self.query, self.submit, self.delete, self._client = client.query, client.submit, client.delete, client

            def get(self, path, query=None, **path_params):
                answer = self._client.get(path, query, **path_params)
                if path.endswith("/members"):
                    answer["entities"] = [entity for entity in answer["entities"] if entity["id"] != gone]
                return answer

        without = replace(means, reader=lambda sleep: Without(means.reader(sleep)))
        done = import_genesys(tmp_path, "n", wanted_for(double.organisation, "Queue 1"), without)
        return gone, done, open_snapshot(tmp_path, "n")

    def test_is_an_agent_and_a_member_all_the_same_and_that_is_said(self, done):
        gone, run, found = done
        assert found.table("agents").filter(agent_id=gone)["agent_name"].null_count() == 0
        assert found.table("members").filter(agent_id=gone)["queue_id"].to_list() == ["q1"]
        assert any("1 pairs of queue and agent" in sentence for sentence in run.manifest.assumptions)

    def test_has_all_interactions_and_the_time_on_queue_of_those_days(self, done, double):
        gone, _, found = done
        expected = expected_of(double.organisation).visits.filter(agent_id=gone, queue_id="q1")
        assert found.table("interactions").filter(agent_id=gone).height == expected.height > 0
        on_queue = expected_of(double.organisation).staffing.filter(agent_id=gone)["start_at"]
        answered = expected["arrived_at"].dt.date().unique().to_list()
        days = on_queue.filter(on_queue.dt.date().is_in(answered))
        assert set(days) <= set(found.table("staffing").filter(agent_id=gone)["start_at"])


class TestUnchanged:
    """What stands already is written again only where it would say something else."""

    def commit(self, store, said="as it is"):
        with SnapshotWriter(store, "n", source={"kind": "genesys"}, time_zone="UTC", replace=True) as writer:
            writer.add("agents", pl.DataFrame({"agent_id": ["a", "b"]}))
            writer.assume(said)
            return writer.commit_if_changed()

    def test_the_same_stays_with_the_time_at_which_it_was_made(self, tmp_path):
        first, is_new = self.commit(tmp_path)
        second, is_changed = self.commit(tmp_path)
        assert (is_new, is_changed) == (True, False)
        assert second == first == read_manifest(tmp_path / "n")

    def test_another_sentence_alone_is_a_change(self, tmp_path):
        self.commit(tmp_path)
        manifest, is_changed = self.commit(tmp_path, "as it is now")
        assert is_changed
        assert manifest == read_manifest(tmp_path / "n")
        assert manifest.assumptions[0] == "as it is now"

    def test_a_manifest_that_cannot_be_read_is_replaced(self, tmp_path):
        self.commit(tmp_path)
        (tmp_path / "n" / "manifest.json").write_text("{")
        manifest, is_changed = self.commit(tmp_path)
        assert is_changed
        assert manifest == read_manifest(tmp_path / "n")

    def test_nothing_is_left_beside_it(self, tmp_path):
        for said in ("as it is", "as it is", "as it is now"):
            self.commit(tmp_path, said)
        assert [path.name for path in tmp_path.iterdir()] == ["n"]


class TestLess:
    """A slip of the pen in a nightly line must not lose what is there."""

    @pytest.mark.parametrize("lost", ["queue", "first", "last", "zone", "scale", "codes"])
    def test_what_would_be_lost_is_named_and_kept(self, tmp_path, double, lost):
        whole = wanted_for(double.organisation, pseudonymise=lost == "codes")
        span = whole.span
        read(tmp_path, double, wanted=whole)
        before, asked = content(tmp_path / "n"), len(double.requests)
        less, said = {
            "queue": (replace(whole, queues=("Queue 1",)), "queue 'Queue 2'"),
            "first": (replace(whole, span=replace(span, first=span.last)), "days from 2026-01-05"),
            "last": (replace(whole, span=replace(span, last=span.first)), "days to 2026-01-06"),
            "zone": (replace(whole, span=replace(span, time_zone="Europe/Berlin")), "days of UTC"),
            "scale": (replace(whole, scale=Scale.of("0,10")), "survey scores from 0"),
            "codes": (replace(whole, pseudonymise=False), "--pseudonymise"),
        }[lost]
        with pytest.raises(SnapshotExists, match="--replace") as refused:
            read(tmp_path, double, wanted=less)
        assert said in str(refused.value)
        assert content(tmp_path / "n") == before
        assert len(double.requests) == asked

    def test_more_is_taken_without_asking_by_name_or_id(self, tmp_path, double):
        read(tmp_path, double, wanted=wanted_for(double.organisation, "Queue 1"))
        assert read(tmp_path, double, wanted=wanted_for(double.organisation, "q1", "q2")).changed

    def test_days_without_an_interaction_make_no_snapshot(self, tmp_path, double):
        whole = wanted_for(double.organisation)
        empty = replace(whole.span, first=whole.span.first.replace(year=2025), last=whole.span.last.replace(year=2025))
        with pytest.raises(MissingInput, match="no interaction"):
            read(tmp_path, double, wanted=replace(whole, span=empty))
        assert stores.names(tmp_path) == []


class TestRefusals:
    def test_an_unknown_queue_is_named_with_the_nearest(self, tmp_path, double):
        with pytest.raises(UnknownName, match="Queue 1"):
            read(tmp_path, double, wanted=wanted_for(double.organisation, "Qeue 1"))
        assert stores.names(tmp_path) == []

    def test_a_snapshot_from_elsewhere_is_not_replaced(self, tmp_path, double):
        make(tmp_path, "n", interactions=50, agents=5, days=1)
        with pytest.raises(SnapshotExists, match="--replace"):
            read(tmp_path, double)
        # Hours of reading would be for nothing.
        assert double.requests == []
        assert not stores.companion(tmp_path, "n").exists()
        assert read(tmp_path, double, replace=True).changed

    def test_another_organisation_is_not_mixed_in(self, tmp_path, held):
        other = organisation(agents=12, days=2, seed=4, interactions=200, queues=2)
        with Double(other) as elsewhere, pytest.raises(SnapshotExists, match="another organisation"):
            read(tmp_path, elsewhere)

    def test_a_second_run_is_refused(self, tmp_path, double):
        with PartStore(stores.companion(tmp_path, "n")).locked(), pytest.raises(NotWritable, match="another run"):
            read(tmp_path, double)

    def test_days_that_are_not_over_are_refused_before_anything_is_asked_or_made(self, tmp_path, double):
        with pytest.raises(InvalidScenario, match="not over yet"):
            import_genesys(
                tmp_path / "store",
                "n",
                wanted_for(double.organisation),
                means_for(double, now=NOW.replace(month=1, day=6)),
            )
        assert double.requests == []
        assert not (tmp_path / "store").exists()

    def test_a_time_zone_that_is_not_known_is_named_before_anything_is_asked(self, tmp_path, double):
        span = wanted_for(double.organisation).span
        with pytest.raises(UnknownName, match="Mars/Olympus"):
            read(tmp_path, double, wanted=Wanted(("Queue 1",), Span(span.first, span.last, "Mars/Olympus")))
        assert double.requests == []

    def test_a_snapshot_that_took_the_name_meanwhile_is_not_replaced(self, tmp_path, double):
        def meddle(step, done, total):
            if step == "sort out" and done == total:
                make(tmp_path, "n", interactions=50, agents=5, days=1)

        with pytest.raises(SnapshotExists, match="--replace"):
            read(tmp_path, double, progress=meddle)
        assert read_manifest(tmp_path / "n").source["kind"] == "synthetic"

    def test_a_platform_that_does_not_name_its_organisation_is_known_by_its_address(self, tmp_path, double):
        means = means_for(double)

        def shy(sleep):
            client = means.reader(sleep)

            class Shy:
                query, submit, delete = client.query, client.submit, client.delete

                def get(self, path, query=None, **path_params):
                    return {} if path.endswith("organizations/me") else client.get(path, query, **path_params)

            return Shy()

        wanted = wanted_for(double.organisation, "Queue 1")
        nameless = replace(means, reader=shy)
        assert import_genesys(tmp_path, "n", wanted, nameless).manifest.source["organisation"] is None
        assert not import_genesys(tmp_path, "n", wanted, nameless).changed
        with pytest.raises(SnapshotExists, match="another organisation"):
            import_genesys(tmp_path, "n", wanted, replace(nameless, host="elsewhere"))

    def test_waits_of_the_reader_end_with_the_run(self, tmp_path):
        sleeps = []
        failing = Faults([("job_submit", n, "job_failed") for n in range(1, 9)])
        with Double(small(), faults=failing) as broken:
            means = means_for(broken)
            with pytest.raises(JobFailed):
                import_genesys(
                    tmp_path, "n", wanted_for(small()),
                    replace(means, reader=lambda sleep: sleeps.append(sleep) or means.reader(sleep)),
                )  # fmt: skip
        with pytest.raises(Stopped):
            sleeps[0](600.0)

    def test_no_queue_is_refused(self, tmp_path, double):
        wanted = wanted_for(double.organisation)
        with pytest.raises(InvalidScenario, match="--queue"):
            read(tmp_path, double, wanted=type(wanted)((), wanted.span))

    def test_scores_off_the_scale_are_refused_and_nothing_read_is_lost(self, tmp_path, double):
        with pytest.raises(InvalidTable, match="--survey-scale"):
            read(tmp_path, double, wanted=wanted_for(double.organisation, scale=Scale.of("1,5")))
        assert stores.names(tmp_path) == []
        assert read(tmp_path, double).parts_read == 0

    @pytest.mark.parametrize("permission", ["routing:queue:view", "analytics:conversationDetail:view"])
    def test_a_needed_permission_that_is_missing_is_named(self, tmp_path, permission):
        with (
            Double(small(), missing_permissions=(permission,)) as double,
            pytest.raises(AccessRefused, match=permission),
        ):
            read(tmp_path, double)

    @pytest.mark.parametrize(
        ("permission", "said"),
        [
            ("analytics:userDetail:view", "replays infer it"),
            ("analytics:conversationAggregate:view", "were not compared"),
            ("routing:utilization:view", "platform's defaults: 1 call"),
        ],
    )
    def test_an_optional_permission_that_is_missing_is_said_in_the_manifest(self, tmp_path, permission, said):
        with Double(small(), missing_permissions=(permission,)) as double:
            done = read(tmp_path, double)
        assert any(said in sentence for sentence in done.manifest.assumptions)
        assert done.manifest.rows["interactions"] == expected_of(small()).visits.height

    def test_days_that_fail_leave_the_old_snapshot_as_it_was(self, tmp_path, double):
        short = wanted_for(double.organisation, "Queue 1")
        read(tmp_path, double, wanted=short)
        before = content(tmp_path / "n")
        failing = Faults([("job_submit", n, "job_failed") for n in range(1, 9)])
        with Double(small(), faults=failing) as broken, pytest.raises(JobFailed) as failed:
            read(tmp_path, broken)
        assert "goes on from there" in failed.value.__notes__[0]
        assert content(tmp_path / "n") == before

    def test_a_platform_that_is_gone_is_a_clean_failure(self, tmp_path, double):
        read(tmp_path, double, wanted=wanted_for(double.organisation, "Queue 1"))
        before = content(tmp_path / "n")
        double.stop()
        with pytest.raises(PlatformUnavailable):
            read(tmp_path, double)
        assert content(tmp_path / "n") == before


class TestRepairs:
    @pytest.mark.parametrize("name", ["busy.arrow", "interactions/2026-01-05.arrow"])
    @pytest.mark.parametrize("damage", ["flipped", "gone"])
    def test_a_damaged_snapshot_is_written_again(self, tmp_path, double, held, name, damage):
        before, path = content(tmp_path / "n"), tmp_path / "n" / name
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        done = read(tmp_path, double)
        assert (done.changed, done.parts_read) == (True, 0)
        assert content(tmp_path / "n") == before

    def test_a_span_that_shrinks_ends_as_if_read_alone(self, tmp_path, double):
        whole = wanted_for(double.organisation)
        short = type(whole)(whole.queues, type(whole.span)(whole.span.first, whole.span.first))
        read(tmp_path, double, "shrunk")
        read(tmp_path, double, "shrunk", wanted=short, replace=True)
        read(tmp_path, double, "alone", wanted=short)
        assert content(tmp_path / "shrunk")["busy.arrow"] == content(tmp_path / "alone")["busy.arrow"]
        shrunk, alone = (read_manifest(tmp_path / name) for name in ("shrunk", "alone"))
        assert (shrunk.id, shrunk.repairs, shrunk.assumptions) == (alone.id, alone.repairs, alone.assumptions)

    def test_counts_of_the_platform_are_cut_to_the_days(self, tmp_path, double):
        wanted = wanted_for(double.organisation)
        local = type(wanted.span)(wanted.span.first, wanted.span.first, "Asia/Kathmandu")
        done = read(tmp_path, double, wanted=type(wanted)(wanted.queues, local))
        counted = open_snapshot(tmp_path, "n").table("aggregates")["start_at"]
        assert local.start <= counted.min() <= counted.max() < local.end
        assert any("all half hours agree" in sentence for sentence in done.manifest.assumptions)

    def test_days_that_jobs_do_not_cover_are_named(self, tmp_path, double):
        done = read(tmp_path, double)
        assert any("did not cover 2026-01-06 (UTC)" in sentence for sentence in done.manifest.assumptions)


class TestPartly:
    """A permission that goes away between two runs leaves days that are known and days that are not."""

    def then_without(self, tmp_path, double, permission):
        whole = wanted_for(double.organisation)
        read(tmp_path, double, wanted=replace(whole, span=replace(whole.span, last=whole.span.first)))
        with Double(small(), missing_permissions=(permission,)) as less:
            return read(tmp_path, less, wanted=whole).manifest

    def test_days_without_known_time_on_queue_are_named(self, tmp_path, double):
        manifest = self.then_without(tmp_path, double, "analytics:userDetail:view")
        assert manifest.rows["staffing"] > 0
        assert [said for said in manifest.assumptions if "could not be read for 2026-01-06 (UTC)" in said]

    def test_days_that_were_not_counted_are_not_compared(self, tmp_path, double):
        manifest = self.then_without(tmp_path, double, "analytics:conversationAggregate:view")
        assert not [said for said in manifest.assumptions if "half hours differ" in said]
        assert [said for said in manifest.assumptions if "all half hours agree" in said]

    def test_surveys_that_may_not_be_counted_cost_no_other_counts(self, tmp_path):
        with Double(small(), missing_permissions=("analytics:surveyAggregate:view",)) as double:
            manifest = read(tmp_path, double).manifest
        assert manifest.rows["aggregates"] > 0
        assert not [said for said in manifest.assumptions if "survey responses" in said]


class TestPersonalData:
    def test_nothing_planted_is_stored_anywhere(self, held):
        files = [path for path in held.rglob("*") if path.is_file()]
        assert len(files) > 20
        for path in files:
            content_of = path.read_bytes()
            found = [text for text in PLANTED if text.encode() in content_of]
            assert not found, (path, found)

    def test_codes_replace_agents_and_stay_the_same(self, tmp_path, double):
        wanted = wanted_for(double.organisation, pseudonymise=True)
        read(tmp_path, double, wanted=wanted)
        found = open_snapshot(tmp_path, "n")
        ids = set(double.organisation.tables.agents["agent_id"])
        for name in ("agents", "members", "staffing", "busy", "interactions", "surveys"):
            assert not ids & set(found.table(name)["agent_id"].drop_nulls()), name
        assert all(name.startswith("A") for name in found.table("agents")["agent_name"])
        assert pseudonyms.ASSUMPTION_KEPT in found.manifest.assumptions
        assert not read(tmp_path, double, wanted=wanted).changed
