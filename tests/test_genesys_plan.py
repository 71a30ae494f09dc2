"""What is still to be read, and what one reading of many says."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import CorruptSnapshot, InvalidScenario, InvalidTable, NotWritable, UnknownName
from ingest.genesys.checking import estimate
from ingest.genesys.collecting.parts import QUEUES, USERS, Freshness, Part, PartStore, merged, missing, winners
from ingest.genesys.collecting.scale import Scale
from ingest.genesys.collecting.wanted import Span, check_span
from ingest.snapshot import store as stores
from ingest.synthetic import make

DAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def part(read_at: datetime, ids: str = "ab", is_provisional: bool = False, day: date = DAY, kind: str = QUEUES) -> Part:
    return Part(day, kind, frozenset(ids), is_provisional, read_at, Path("nowhere"))


def fresh(started: datetime = NOON, refresh_days: int = 3, available: datetime = NOON) -> Freshness:
    return Freshness(NOON + timedelta(days=365), started, refresh_days, available)


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

    def test_a_day_read_the_moment_the_run_began_is_kept(self):
        young = part(NOON, day=date(2026, 3, 9))
        assert Freshness(NOON, NOON, 3, NOON).keeps(young)
        assert fresh(started=NOON).keeps(young)

    def test_jobs_cover_a_day_that_ends_when_they_end(self):
        end = datetime(2026, 3, 3, tzinfo=UTC)
        old = part(NOON - timedelta(hours=1), is_provisional=True)
        assert not fresh(available=end).keeps(old)
        assert fresh(available=end - timedelta(seconds=1)).keeps(old)
        assert fresh(available=end).keeps(part(NOON - timedelta(hours=1)))

    @pytest.mark.parametrize("refresh_days", [0, 1, 30])
    def test_days_are_read_again_for_as_long_as_was_chosen(self, refresh_days):
        settled = datetime(2026, 3, 3, tzinfo=UTC) + timedelta(days=refresh_days)
        run = fresh(started=settled + timedelta(days=1), refresh_days=refresh_days)
        assert run.keeps(part(settled))
        assert not run.keeps(part(settled - timedelta(seconds=1)))

    def test_a_part_read_by_a_clock_that_was_ahead_does_not_count(self):
        assert not fresh().keeps(part(NOON + timedelta(days=400)))

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


class TestCovering:
    """A part covers an earlier one that says no more than it does; only then is the earlier one of no use."""

    def of(self, folder: str = "older", **more: Any) -> Part:
        return replace(part(NOON), folder=Path(folder), **more)

    def test_one_that_was_read_later_of_the_same_or_more(self):
        newer = self.of("newer", ids=frozenset("abc"), read_at=NOON + timedelta(minutes=1))
        assert newer.covers(self.of())
        assert newer.covers(self.of(ids=frozenset("abc")))
        assert newer.covers(self.of(read_at=newer.read_at))

    @pytest.mark.parametrize(
        "older",
        [
            {"day": date(2026, 3, 3)}, {"kind": USERS}, {"ids": frozenset("abd")}, {"ids": frozenset("d")},
            {"read_at": NOON + timedelta(minutes=2)}, {"folder": "newer"},
        ],
        ids=["day", "kind", "another id more", "another id", "read later", "same folder"],
    )  # fmt: skip
    def test_not_another_day_kind_or_id_nor_what_was_read_later(self, older):
        newer = self.of("newer", ids=frozenset("abc"), read_at=NOON + timedelta(minutes=1))
        assert not newer.covers(self.of(**older))


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

    def test_parts_that_share_some_ids_both_stay(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        store.write(DAY, QUEUES, "ab", NOON, {})
        store.write(DAY, QUEUES, "bc", NOON + timedelta(minutes=1), {})
        assert [part.ids for part in store.parts()] == [{"a", "b"}, {"b", "c"}]

    def test_a_part_that_was_read_earlier_but_is_written_later_replaces_nothing(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        newer = store.write(DAY, QUEUES, "a", NOON, {})
        older = store.write(DAY, QUEUES, "ab", NOON - timedelta(minutes=1), {})
        assert store.parts() == [older, newer]

    def test_whether_it_is_provisional_is_remembered(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        written = store.write(DAY, QUEUES, "a", NOON, {}, is_provisional=True)
        assert written.is_provisional
        assert store.parts() == [written]

    def test_removing_that_is_cut_off_leaves_no_half_part(self, tmp_path, monkeypatch):
        def cut_off(folder: Path) -> None:
            (folder / "visits.arrow").unlink()
            raise KeyboardInterrupt

        store = PartStore(tmp_path / "parts")
        store.write(DAY, QUEUES, "a", NOON, {"visits": pl.DataFrame({"a": [1]})})
        with monkeypatch.context() as patched:
            patched.setattr(shutil, "rmtree", cut_off)
            with pytest.raises(KeyboardInterrupt):
                store.write(DAY, QUEUES, "a", NOON + timedelta(minutes=1), {"visits": pl.DataFrame({"a": [2]})})
        (left,) = store.parts()
        assert left.frame("visits")["a"].to_list() == [2]

    def test_all_files_are_on_the_disk_before_a_part_has_its_name(self, tmp_path, monkeypatch):
        synced: set[int] = set()
        unnamed: list[set[int]] = []
        sync, rename = os.fsync, Path.rename

        def recorded(number: int) -> None:
            synced.add(os.fstat(number).st_ino)
            sync(number)

        def named(folder: Path, target: Path) -> Path:
            unnamed.append({path.stat().st_ino for path in (folder, *folder.iterdir())} - synced)
            return rename(folder, target)

        store = PartStore(tmp_path / "parts")
        monkeypatch.setattr(os, "fsync", recorded)
        monkeypatch.setattr(Path, "rename", named)
        store.write(DAY, QUEUES, "a", NOON, {"visits": pl.DataFrame({"a": [1]}), "lives": pl.DataFrame({"b": [1]})})
        assert unnamed == [set()]

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
        store.write(DAY, QUEUES, "a", NOON, {})
        folders = [store.folder, *(part.folder for part in store.parts())]
        assert not any(folder.stat().st_mode & 0o077 for folder in folders)
        assert (store.folder / "job.json").stat().st_mode & 0o077 == 0

    def test_what_is_remembered_stays_beside_what_was(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        assert store.state() == {}
        store.remember(a=1)
        store.remember(b=2)
        assert store.state() == {"a": 1, "b": 2}

    def test_what_is_remembered_is_replaced_whole_or_not_at_all(self, tmp_path, monkeypatch):
        store = PartStore(tmp_path / "parts")
        store.remember(a=1)
        monkeypatch.setattr(Path, "replace", lambda path, target: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.remember(a=2)
        assert store.state() == {"a": 1}
        assert [path.name for path in store.folder.iterdir()] == ["job.json"]

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[1]", b"7"])
    def test_a_broken_memory_is_named_with_the_way_out(self, tmp_path, content):
        store = PartStore(tmp_path / "parts")
        (store.folder / "job.json").write_bytes(content)
        with pytest.raises(CorruptSnapshot, match="read everything again"):
            store.state()

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
        with pytest.raises(CorruptSnapshot, match="is not what was written"):
            written.frame("visits")
        (written.folder / "visits.arrow").unlink()
        with pytest.raises(CorruptSnapshot, match="reads it again"):
            written.frame("visits")

    def test_a_flipped_bit_is_noticed(self, tmp_path):
        store = PartStore(tmp_path / "parts")
        path = store.write(DAY, QUEUES, "a", NOON, {"visits": pl.DataFrame({"a": [1] * 100})}).folder / "visits.arrow"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with pytest.raises(CorruptSnapshot, match="is not what was written"):
            store.parts()[0].frame("visits")

    def test_deleting_a_snapshot_takes_its_parts_along(self, tmp_path):
        PartStore(stores.companion(tmp_path, "n")).write(DAY, QUEUES, "a", NOON, {})
        stores.delete(tmp_path, "n")
        assert os.listdir(tmp_path) == []  # noqa: PTH208


class TestDeleting:
    def test_of_a_snapshot_takes_both_away(self, tmp_path):
        make(tmp_path, "n", interactions=20, agents=2, days=1)
        PartStore(stores.companion(tmp_path, "n")).write(DAY, QUEUES, "a", NOON, {})
        other = PartStore(stores.companion(tmp_path, "m")).folder
        stores.delete(tmp_path, "n")
        assert list(tmp_path.iterdir()) == [other]

    def test_what_was_read_lies_where_no_snapshot_is_looked_for(self, tmp_path):
        PartStore(stores.companion(tmp_path, "n"))
        assert stores.companion(tmp_path, "n").name.startswith(".")
        assert stores.names(tmp_path) == []
        stores.tidy(tmp_path)
        assert stores.companion(tmp_path, "n").is_dir()

    def test_a_folder_that_is_no_snapshot_stays(self, tmp_path):
        (tmp_path / "n").mkdir()
        with pytest.raises(CorruptSnapshot, match="remove the folder"):
            stores.delete(tmp_path, "n")
        assert (tmp_path / "n").is_dir()

    @pytest.mark.parametrize("name", ["../n", "", ".n", "a/b"])
    def test_nothing_outside_the_store_is_deleted(self, tmp_path, name):
        store = tmp_path / "store"
        PartStore(stores.companion(store, "n"))
        with pytest.raises(InvalidScenario, match="snapshot name"):
            stores.delete(store, name)
        assert stores.companion(store, "n").is_dir()

    def test_what_is_not_there_is_named_with_what_is(self, tmp_path):
        make(tmp_path, "n", interactions=20, agents=2, days=1)
        with pytest.raises(UnknownName, match="known: n"):
            stores.delete(tmp_path, "m")


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

    def test_a_day_is_over_when_the_next_begins(self):
        midnight = datetime(2026, 3, 3, tzinfo=UTC)
        assert check_span(Span(DAY, DAY), midnight)
        with pytest.raises(InvalidScenario, match="not over yet"):
            check_span(Span(DAY, DAY), midnight - timedelta(seconds=1))
        # In New York it ends five hours later.
        with pytest.raises(InvalidScenario, match="America/New_York"):
            check_span(Span(DAY, DAY, "America/New_York"), midnight + timedelta(hours=4))


class TestScale:
    @pytest.mark.parametrize(
        ("scale", "scores", "wrong"),
        [
            (None, [87.5, 101.0], "do not lie on a scale"),
            (None, [87.5, -1.0], "do not lie on a scale"),
            (None, [101.0], "do not lie on a scale"),
            ("1,5", [3.0, 6.0], "do not lie on a scale"),
            (None, [4.0, 5.0], "looks like another scale"),
            (None, [0.2, 0.9], "looks like another scale"),
            ("1,5", [0.0, 5.0], "do not lie on a scale"),
        ],
    )
    def test_scores_that_contradict_the_scale_are_refused(self, scale, scores, wrong):
        with pytest.raises(InvalidTable, match=wrong):
            Scale.of(scale).applied(pl.DataFrame({"score": scores}))

    @pytest.mark.parametrize(
        ("scale", "scores"), [(None, [0.0, 87.5]), ("1,5", [1.0, 5.0]), ("0,100", [3.0]), (None, [0.0]), (None, [])]
    )
    def test_scores_that_fit_get_their_scale(self, scale, scores):
        chosen = Scale.of(scale)
        done = chosen.applied(pl.DataFrame({"score": scores}, {"score": pl.Float64}))
        assert done.columns == ["score", "scale_min", "scale_max"]
        assert all(row[1:] == (chosen.low, chosen.high) for row in done.rows())

    @pytest.mark.parametrize("text", ["", "5", "5,5", "5,1", "a,b", "1,2,3", "nan,5", "1,inf"])
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
