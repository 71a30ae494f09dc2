"""Times in every accepted form become the same moment in UTC."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.files import import_files, read_table
from ingest.snapshot.reading import open_snapshot
from tests.small_files import AGENTS, write

VISIT = "interaction_id,queue_id,arrived_at\ni1,q1,{}\n"


def arrival(folder: Path, text: str, time_zone: str | None = None) -> datetime:
    path = write(folder, interactions=VISIT.format(text))["interactions"]
    return read_table("interactions", path, time_zone)["arrived_at"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "text",
    ["2024-03-04T09:00:00.25Z", "2024-03-04 09:00:00.250000999z", "2024-03-04t10:30:00.25+01:30",
     "2024-03-03T22:00:00.25-11:00", " 2024-03-04T09:00:00.25-00:00 "],
)  # fmt: skip
def test_rfc_3339_in_all_its_forms(text: str, tmp_path: Path) -> None:
    assert arrival(tmp_path, text) == datetime(2024, 3, 4, 9, 0, 0, 250_000, UTC)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)), st.integers(-1439, 1439), st.integers(0, 6))
def test_any_time_with_offset_becomes_utc(at: datetime, offset_min: int, digits: int) -> None:
    clock = at.isoformat(timespec="microseconds")
    clock = clock[: 20 + digits].rstrip(".")
    shown = f"{clock}{'-' if offset_min < 0 else '+'}{abs(offset_min) // 60:02}:{abs(offset_min) % 60:02}"
    with tempfile.TemporaryDirectory() as folder:
        assert arrival(Path(folder), shown) == datetime.fromisoformat(f"{clock}+00:00") - timedelta(minutes=offset_min)


def test_local_times_follow_their_zone_and_offsets_go_before(tmp_path: Path) -> None:
    assert arrival(tmp_path, "2024-03-04T09:00:00", "Europe/Berlin") == datetime(2024, 3, 4, 8, tzinfo=UTC)
    assert arrival(tmp_path, "2024-07-04T09:00:00.5", "Europe/Berlin").hour == 7
    assert arrival(tmp_path, "2024-07-04T09:00:00Z", "Europe/Berlin").hour == 9
    rows = "i2,q1,2024-03-04T09:00:00Z\ni3,q1,2024-03-04T09:00:00\n"
    path = write(tmp_path, interactions=VISIT.format("2024-03-04T09:00:00-05:00") + rows)["interactions"]
    hours = read_table("interactions", path, "Asia/Tokyo")["arrived_at"].dt.hour().to_list()
    assert hours == [14, 9, 0]


def test_hour_that_occurs_twice_is_the_earlier_and_counted(tmp_path: Path) -> None:
    content = VISIT.format("2024-10-27T02:30:00") + "i2,q1,2024-10-27T03:30:00\n"
    paths = write(tmp_path, agents=AGENTS, interactions=content)
    import_files(tmp_path / "s", "x", **paths, time_zone="Europe/Berlin")
    snapshot = open_snapshot(tmp_path / "s", "x")
    hours = snapshot.table("interactions")["arrived_at"].dt.strftime("%H:%M").to_list()
    assert hours == ["00:30", "02:30"] and snapshot.manifest.time_zone == "Europe/Berlin"
    assert [n for label, n in snapshot.manifest.repairs.items() if "occur twice" in label] == [1]


def test_timestamps_of_parquet_in_any_unit_and_zone(tmp_path: Path) -> None:
    noon = datetime(2024, 3, 4, 12)
    columns = {"interaction_id": [1, 2], "queue_id": [7, 7]}
    for unit in ("ms", "us", "ns"):
        naive = pl.Series([noon, noon]).cast(pl.Datetime(unit))  # type: ignore[arg-type]
        for at, zone, hour in ((naive.dt.replace_time_zone("Asia/Tokyo"), None, 3), (naive, "Europe/Berlin", 11)):
            path = tmp_path / "interactions.parquet"
            pl.DataFrame(columns | {"arrived_at": at}).write_parquet(path)
            frame = read_table("interactions", path, zone)
            assert frame["arrived_at"].dt.hour().to_list() == [hour] * 2
            assert frame["interaction_id"].to_list() == ["1", "2"]
