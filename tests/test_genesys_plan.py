"""What is still to be read, and what one reading of many says."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import CorruptSnapshot, InvalidScenario, InvalidTable, NotWritable
from ingest import store as stores
from ingest.genesys.estimate import estimate
from ingest.genesys.latest import merged, winners
from ingest.genesys.parts import QUEUES, USERS, Part, PartStore
from ingest.genesys.plan import Freshness, missing
from ingest.genesys.scale import Scale
from ingest.genesys.span import Span, check_span

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def part(read_at: datetime, ids: str = "ab", is_provisional: bool = False, day: date = DAY, kind: str = QUEUES) -> Part:
    return Part(day, kind, frozenset(ids), is_provisional, read_at, Path("nowhere"))


def fresh(started: datetime = NOON, refresh_days: int = 3, available: datetime = NOON) -> Freshness:
    return Freshness(started, refresh_days, available)


class TestFreshness:
    def test_a_day_read_after_its_refresh_days_is_kept_for_ever(self):
        end = datetime(2026, 3, 3, tzinfo=UTC)
        assert fresh().keeps(part(end + timedelta(days=3)))
        assert not fresh().keeps(part(end + timedelta(days=3) - timedelta(seconds=1)))

    def test_a_run_that_goes_on_keeps_what_it_has_read_itself(self):
        young = part(NOON + timedelta(minutes=1), day=date(2026, 3, 9))
        assert fresh().keeps(young)
        assert not fresh(started=NOON + timedelta(minutes=2)).keeps(young)

    def test_a_day_read_by_query_is_read_again_once_jobs_cover_it(self):
        old = part(NOON - timedelta(hours=1), is_provisional=True)
        assert not fresh().keeps(old)
        assert fresh(available=datetime(2026, 3, 2, 12, tzinfo=UTC)).keeps(old)

    @given(st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.booleans())), st.sets(st.sampled_from("abcd")))
    def test_missing_is_what_no_kept_part_answers_for(self, given_parts, wanted):
        parts = [
            part(NOON + timedelta(hours=1) if kept else NOON - timedelta(days=7), "".join(ids))
            for ids, kept in given_parts
        ]
        answered = {i for ids, kept in given_parts if kept for i in ids}
        assert missing(parts, fresh(), DAY, QUEUES, wanted) == sorted(wanted - answered)

    def test_parts_of_other_days_and_kinds_answer_for_nothing(self):
        parts = [part(NOON, kind=USERS), part(NOON, day=date(2026, 3, 3))]
        assert missing(parts, fresh(), DAY, QUEUES, ["a"]) == ["a"]


def frames(ids: list[str], value: int) -> dict[str, pl.DataFrame]:
    lives = pl.DataFrame({"conversation_id": ids}, {"conversation_id": pl.String})
    rows = [name for name in ids for _ in range(2)]
    visits = pl.DataFrame(
        {"conversation_id": rows, "v": [value] * len(rows)}, {"conversation_id": pl.String, "v": pl.Int64}
    )
    return {"lives": lives, "visits": visits}


@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True), min_size=1, max_size=5))
def test_every_conversation_counts_once_as_it_was_read_last(readings):
    out = merged([frames(ids, number) for number, ids in enumerate(readings)])
    last = {name: number for number, ids in enumerate(readings) for name in ids}
    assert sorted(out["lives"]["conversation_id"]) == sorted(last)
    assert out["visits"].height == 2 * len(last)
    assert dict(out["visits"].rows()) == last
    won = winners([frames(ids, 0)["lives"] for ids in readings])
    assert sum(frame.height for frame in won) == len(last)


def test_rows_of_no_conversation_stay():
    odd = pl.DataFrame({"conversation_id": ["a", None], "reason": ["x", "y"]})
    lives = pl.DataFrame({"conversation_id": ["a"]})
    assert merged([{"lives": lives, "left_out": odd}])["left_out"].rows() == odd.rows()


class TestPartStore:
    def test_a_part_is_read_as_it_was_written(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        visits = pl.DataFrame({"conversation_id": ["c"], "at": [NOON], "skills": [["x", "y"]]})
        written = store.write(DAY, QUEUES, ["b", "a"], NOON, {"visits": visits})
        (found,) = store.parts()
        assert found == written
        assert (found.day, found.kind, found.ids, found.is_provisional, found.read_at) == (
            DAY,
            QUEUES,
            {"a", "b"},
            False,
            NOON,
        )
        assert found.frame("visits").rows() == visits.rows()

    def test_a_newer_part_replaces_those_that_it_covers_and_no_others(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        at = [NOON + timedelta(minutes=n) for n in range(4)]
        store.write(DAY, QUEUES, "ab", at[0], {})
        store.write(DAY, QUEUES, "c", at[1], {})
        store.write(DAY, USERS, "ab", at[2], {})
        store.write(DAY, QUEUES, "abd", at[3], {})
        assert [(p.kind, "".join(sorted(p.ids))) for p in store.parts()] == [
            ("queues", "c"),
            ("users", "ab"),
            ("queues", "abd"),
        ]

    def test_a_second_run_is_refused_while_the_first_goes_on(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        with store.locked(), pytest.raises(NotWritable, match="another run"), PartStore(store.folder).locked():
            pass
        with store.locked():
            pass

    def test_what_was_left_unfinished_is_no_part_and_goes_with_the_next_run(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        finished = store.write(DAY, QUEUES, "a", NOON, {})
        left = finished.folder.with_name(finished.folder.name + "0.unfinished")
        left.mkdir()
        (left / "part.json").write_text((finished.folder / "part.json").read_text())
        assert store.parts() == [finished]
        with store.locked():
            assert not left.exists()

    def test_only_the_owner_looks_inside(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        store.remember(key="00")
        assert store.folder.stat().st_mode & 0o077 == 0
        assert (store.folder / "job.json").stat().st_mode & 0o077 == 0

    def test_what_is_remembered_stays_beside_what_was(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        assert store.state() == {}
        store.remember(a=1)
        store.remember(b=2)
        assert store.state() == {"a": 1, "b": 2}

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"day": "2026-13-01"}'])
    def test_a_broken_part_is_named_with_the_way_out(self, tmp_path, content):
        store = PartStore(tmp_path / "parts")
        written = store.write(DAY, QUEUES, "a", NOON, {"visits": pl.DataFrame({"a": [1]})})
        (written.folder / "part.json").write_text(content)
        with pytest.raises(CorruptSnapshot, match="remove the folder"):
            store.parts()

    def test_a_broken_table_is_named_with_the_way_out(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        written = store.write(DAY, QUEUES, "a", NOON, {"visits": pl.DataFrame({"a": [1]})})
        (written.folder / "visits.arrow").write_bytes(b"no table")
        with pytest.raises(CorruptSnapshot, match="reads it again"):
            written.frame("visits")

    def test_deleting_a_snapshot_takes_its_parts_along(self, tmp_path):
        PartStore(stores.companion(tmp_path, "n")).write(DAY, QUEUES, "a", NOON, {})
        stores.delete(tmp_path, "n")
        assert os.listdir(tmp_path) == []  # noqa: PTH208


class TestSpan:
    def test_local_days_touch_more_utc_days(self):
        berlin = Span(date(2026, 3, 28), date(2026, 3, 29), "Europe/Berlin")
        assert (berlin.end - berlin.start) == timedelta(hours=47)
        assert berlin.utc_days() == [date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29)]
        assert Span(DAY, DAY).utc_days() == [DAY]

    def test_days_that_are_not_over_are_refused(self):
        with pytest.raises(InvalidScenario, match="not over yet"):
            check_span(Span(DAY, NOON.date()), NOON)
        with pytest.raises(InvalidScenario, match="swap them"):
            check_span(Span(NOON.date(), DAY), NOON)
        assert check_span(Span(DAY, DAY), NOON)


class TestScale:
    @pytest.mark.parametrize(
        ("scale", "scores", "wrong"),
        [
            (None, [87.5, 101.0], "do not lie on a scale"),
            (None, [4.0, 5.0], "looks like another scale"),
            (None, [0.2, 0.9], "looks like another scale"),
            ("1,5", [0.0, 5.0], "do not lie on a scale"),
        ],
    )
    def test_scores_that_contradict_the_scale_are_refused(self, scale, scores, wrong):
        with pytest.raises(InvalidTable, match=wrong):
            Scale.of(scale).applied(pl.DataFrame({"score": scores}))

    @pytest.mark.parametrize(
        ("scale", "scores"), [(None, [0.0, 87.5]), ("1,5", [1.0, 5.0]), ("0,100", [3.0]), (None, [])]
    )
    def test_scores_that_fit_get_their_scale(self, scale, scores):
        chosen = Scale.of(scale)
        done = chosen.applied(pl.DataFrame({"score": scores}, {"score": pl.Float64}))
        assert done.columns == ["score", "scale_min", "scale_max"]
        assert all(row[1:] == (chosen.low, chosen.high) for row in done.rows())

    @pytest.mark.parametrize("text", ["", "5", "5,1", "a,b", "1,2,3", "nan,5", "1,inf"])
    def test_a_scale_is_two_numbers_the_lower_first(self, text):
        with pytest.raises(InvalidScenario, match="--survey-scale"):
            Scale.of(text)


def test_more_of_anything_is_never_estimated_to_take_less():
    base = {"days": 30, "conversations": 100_000, "agents": 200, "queues": 3}
    for name, value in base.items():
        more = estimate(**(base | {name: 2 * value}))
        assert more.requests >= estimate(**base).requests
        assert more.minutes >= estimate(**base).minutes
    assert estimate(**base, per_minute=600).minutes <= estimate(**base).minutes
