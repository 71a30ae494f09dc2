"""A made-up centre: the same from the same seed, of the asked size and shape, in little memory."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.errors import InvalidScenario
from ingest.snapshot.reading import open_snapshot
from ingest.snapshot.writing import SnapshotWriter
from ingest.synthetic import bank_shape, draws, make, playing


def made(store, **options):
    manifest = make(store, "made", replace=True, **options)
    return manifest, open_snapshot(store, "made")


@pytest.fixture(scope="module")
def typical(tmp_path_factory):
    return made(tmp_path_factory.mktemp("typical"), interactions=40_000, agents=40, days=14)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return made(tmp_path_factory.mktemp("bank"), like="bank", interactions=60_000, days=50)


@pytest.fixture(scope="module", params=["typical", "bank"])
def either(request):
    return request.getfixturevalue(request.param)


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).rglob("*.arrow")}


@pytest.mark.parametrize("like", [None, "bank"])
def test_the_same_seed_gives_the_same_bytes(tmp_path, like):
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        make(tmp_path, name, interactions=3000, days=5, seed=seed, like=like)
    one, two, three = (files(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    # Another seed is another centre: every day and the surveys differ.
    assert all(one[name] != three.get(name) for name in one if name == "surveys.arrow" or name.startswith("2026"))


def test_it_is_as_large_as_asked(tmp_path):
    manifest, snapshot = made(tmp_path, interactions=1234, agents=17, queues=3, skills=7, languages=4, days=6)
    assert (manifest.rows["interactions"], manifest.rows["agents"], manifest.rows["queues"]) == (1234, 17, 3)
    interactions = snapshot.table("interactions")
    assert interactions["interaction_id"].n_unique() == 1234
    assert interactions["skills"].explode().n_unique() == 7
    assert interactions["language"].n_unique() == 4
    assert interactions["arrived_at"].dt.date().n_unique() <= 6


@pytest.mark.parametrize("options", [
    {"interactions": 1},
    {"interactions": 20, "agents": 1, "queues": 3, "skills": 1, "languages": 3, "days": 1},
    {"interactions": 50, "agents": 3, "queues": 2, "skills": 20, "languages": 9, "days": 2},
    {"interactions": 50, "agents": 60, "queues": 9, "skills": 4, "languages": 1, "days": 3},
    {"interactions": 10, "days": 1, "start": "2026-01-03", "like": "bank"},
    {"interactions": 20_000, "days": 4, "start": "2026-03-25", "like": "bank"},
])  # fmt: skip
def test_any_size_can_be_made(tmp_path, options):
    manifest, snapshot = made(tmp_path, **options)
    assert snapshot.table("interactions").height == manifest.rows["interactions"] == options["interactions"]


def test_memory_does_not_grow_with_the_size(tmp_path, monkeypatch):
    """What the writer is handed at a time stays the same, however many interactions there are, where they are drawn."""
    monkeypatch.setattr(playing, "MOST_PLAYED", 1000)
    monkeypatch.setattr(draws, "BATCH_ROWS", 500)
    monkeypatch.setattr(draws, "PART_ROWS", 300)
    heights = []
    add = SnapshotWriter.add_interactions

    def spy(writer, frame):
        heights.append(frame.height)
        add(writer, frame)

    monkeypatch.setattr(SnapshotWriter, "add_interactions", spy)
    for size in (2000, 20_000):
        heights.clear()
        make(tmp_path, f"n{size}", interactions=size, days=2, agents=20)
        assert sum(heights) == size
        assert 300 < max(heights) <= 500


def test_surveys_stay_few_in_a_large_centre(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.snapshot.made_up.MOST_SURVEYS", 100)
    manifest, _ = made(tmp_path, interactions=5000, days=3)
    assert 40 < manifest.rows["surveys"] < 160
    assert any("2 % of answered" in sentence for sentence in manifest.assumptions)


def test_interactions_come_in_order_and_fit_together(either):
    _, snapshot = either
    rows = snapshot.table("interactions")
    assert rows["arrived_at"].is_sorted()
    answered, abandoned = (rows.filter(pl.col("outcome") == name) for name in ("answered", "abandoned"))
    assert answered.height + abandoned.height == rows.height
    assert answered["agent_id"].null_count() == answered["handle_s"].null_count() == 0
    assert abandoned["agent_id"].null_count() == abandoned["handle_s"].null_count() == abandoned.height
    assert (answered["wait_s"] <= answered["patience_s"]).all()
    assert (abandoned["wait_s"] == abandoned["patience_s"]).all()


def test_whoever_answered_was_on_duty_and_a_member(either):
    _, snapshot = either
    waited = pl.duration(microseconds=(pl.col("wait_s") * 1e6).round().cast(pl.Int64))
    answered = snapshot.table("interactions").filter(pl.col("agent_id").is_not_null())
    answered = answered.with_columns(at=pl.col("arrived_at") + waited).sort("at")
    shifts = snapshot.table("staffing").sort("start_at")
    found = answered.join_asof(shifts, left_on="at", right_on="start_at", by="agent_id", check_sortedness=False)
    assert (found["at"] < found["end_at"]).all()
    members = snapshot.table("members").select("queue_id", "agent_id")
    missing = answered.join(members, on=["queue_id", "agent_id"], how="anti")
    assert missing.height < 0.001 * answered.height


def test_most_calls_find_their_skill_and_language(typical):
    _, snapshot = typical
    agents = snapshot.table("agents").select(
        "agent_id",
        has=pl.col("skills").list.eval(pl.element().struct.field("name")),
        speaks=pl.col("languages").list.eval(pl.element().struct.field("name")),
    )
    rows = (
        snapshot.table("interactions")
        .join(agents, on="agent_id")
        .with_columns(
            skilled=pl.col("has").list.set_intersection("skills").list.len() > 0,
            spoken=pl.col("speaks").list.contains(pl.col("language")),
        )
    )
    assert rows["skilled"].mean() > 0.95
    assert rows["spoken"].mean() > 0.9


def spread(counts, share):
    """How far counts lie from their shares, in standard errors."""
    expected = share / share.sum() * counts.sum()
    return np.abs(counts - expected) / np.sqrt(np.maximum(expected, 1))


def test_arrivals_have_the_bank_s_week_and_day(bank):
    _, snapshot = bank
    local = snapshot.table("interactions")["arrived_at"].dt.convert_time_zone("Asia/Jerusalem")
    weekday = local.dt.weekday().to_numpy() - 1
    slot = (local.dt.hour().cast(pl.Int32) * 2 + local.dt.minute() // 30).to_numpy()
    days = np.bincount([(4 - 1 + day) % 7 for day in range(50)])  # 1 January 2026 is a Thursday
    assert spread(np.bincount(weekday, minlength=7), days * np.array(bank_shape.PER_DAY)).max() < 4.5
    workday = np.bincount(slot[~np.isin(weekday, (4, 5))], minlength=48)
    assert workday[:14].sum() == 0
    assert spread(workday[14:], np.array(bank_shape.WORKDAY)).max() < 4.5


def test_the_bank_is_closed_from_friday_afternoon_to_saturday_night(bank):
    _, snapshot = bank
    local = pl.col("arrived_at").dt.convert_time_zone("Asia/Jerusalem")
    friday = (local.dt.weekday() == 5) & (local.dt.hour() >= 14)
    saturday = (local.dt.weekday() == 6) & (local.dt.hour() < 20)
    assert snapshot.table("interactions").filter(friday | saturday).is_empty()


def test_types_times_and_outcomes_are_near_the_bank_s(bank):
    _, snapshot = bank
    rows = snapshot.table("interactions").with_columns(
        type=pl.when(pl.col("language") == "English").then(pl.lit("PE")).otherwise(pl.col("skills").list.first())
    )
    share = rows.group_by("type").agg(
        share=pl.len() / rows.height,
        median=pl.col("handle_s").median(),
        abandoned=(pl.col("outcome") == "abandoned").mean(),
    )
    found = {row["type"]: row for row in share.to_dicts()}
    # Measured on the log: share of interactions, median service, share abandoned.
    for name, measured in {"PS": (0.696, 122, 0.138), "NW": (0.161, 64, 0.352), "NE": (0.091, 175, 0.099)}.items():
        assert found[name]["share"] == pytest.approx(measured[0], abs=0.01)
        assert found[name]["median"] == pytest.approx(measured[1], rel=0.08)
        assert found[name]["abandoned"] == pytest.approx(measured[2], abs=0.06)
    assert set(found) == set(bank_shape.TYPES)
    assert set(rows["priority"]) == {0.0, 1.5}
    assert (rows["outcome"] == "abandoned").mean() == pytest.approx(0.169, abs=0.03)


def test_agents_share_the_work_like_the_bank_s(bank):
    _, snapshot = bank
    agents = snapshot.table("agents")
    counts = snapshot.table("interactions").group_by("agent_id").len().drop_nulls()
    handled = agents.join(counts, on="agent_id", how="left")["len"].fill_null(0).to_numpy()
    measured = np.sum(bank_shape.ANSWERED, axis=1)
    # Presence follows the bank's; on a day the longest idle is asked, which evens out how much each does.
    assert np.corrcoef(handled, measured)[0, 1] > 0.6
    english = agents.filter(pl.col("languages").list.len() == 2).height
    assert english == sum(row[1] >= 20 for row in bank_shape.ANSWERED)


def test_busy_half_hours_wait_more(typical):
    _, snapshot = typical
    rows = snapshot.table("interactions").with_columns(hour=pl.col("arrived_at").dt.hour())
    hours = rows.group_by("hour").agg(pl.len(), queued=(pl.col("wait_s") > 0).mean()).sort("len")
    assert set(rows["hour"]) <= set(range(7, 22))
    assert hours["queued"][-3:].mean() > hours["queued"][:3].mean() + 0.1


def test_the_week_slopes_and_the_weekend_is_quiet(typical):
    _, snapshot = typical
    by_day = np.bincount(snapshot.table("interactions")["arrived_at"].dt.weekday().to_numpy() - 1)
    assert by_day[0] > by_day[2:].max()
    assert by_day[5:].sum() < 0.2 * by_day[:5].sum()


def test_agents_truly_differ_in_their_surveys(either):
    """A one-way analysis of variance finds the planted differences far beyond chance."""
    manifest, snapshot = either
    surveys = snapshot.table("surveys")
    by_agent = surveys.group_by("agent_id").agg(pl.len(), pl.col("score").mean().alias("mean"), pl.col("score").var())
    by_agent = by_agent.filter(pl.col("len") >= 10).rename({"score": "variance"})
    count, mean, variance = (by_agent[name].to_numpy() for name in ("len", "mean", "variance"))
    between = (count * (mean - np.average(mean, weights=count)) ** 2).sum() / (count.size - 1)
    within = ((count - 1) * variance).sum() / (count.sum() - count.size)
    assert between / within > 4
    assert surveys["score"].is_between(surveys["scale_min"], surveys["scale_max"]).all()
    assert 0.07 < surveys.height / snapshot.table("interactions")["agent_id"].count() < 0.13
    assert "surveys" in manifest.made_up
    assert any("Surveys are made up" in sentence for sentence in manifest.assumptions)


def test_surveys_are_answered_after_the_call(typical):
    _, snapshot = typical
    joined = snapshot.table("surveys").join(snapshot.table("interactions"), on="interaction_id")
    assert (joined["agent_id"] == joined["agent_id_right"]).all()
    assert (joined["completed_at"] - joined["arrived_at"] >= timedelta(seconds=60)).all()


@pytest.mark.parametrize(("options", "told"), [
    ({"interactions": 0}, "interactions 0: must be a whole number, 1 or more"),
    ({"agents": -3}, "agents -3"),
    ({"days": 1.5}, "days 1.5"),
    ({"start": "tomorrow"}, "start is 'tomorrow'; write an existing day"),
    ({"like": "shop"}, "only 'bank' is known"),
    ({"like": "bank", "agents": 5}, "fixed by the bank's structure"),
    ({"seed": -1}, "seed -1"),
])  # fmt: skip
def test_unusable_numbers_are_refused(tmp_path, options, told):
    with pytest.raises(InvalidScenario, match=r"^[^\n]*$") as caught:
        make(tmp_path, "made", **options)
    assert told in str(caught.value)
    assert not (tmp_path / "made").exists()


def test_progress_reaches_the_end(tmp_path):
    told = []
    make(tmp_path, "made", interactions=500, days=2, progress=lambda *step: told.append(step))
    assert told[-1] == ("write", 500, 500)
