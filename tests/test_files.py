"""Files in every accepted shape give the same tables; what is dropped, repaired or assumed is said."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.data.tables import RATED, TABLES
from engine.errors import InvalidTable
from ingest.files import import_files, read_table
from ingest.files.table import READERS
from ingest.snapshot.reading import Snapshot, open_snapshot
from tests.small_files import AGENTS, INTERACTIONS, QUEUES, SAMPLE, write


def imported(store: Path, paths: dict[str, Any], **options: Any) -> Snapshot:
    import_files(store, "x", **paths, **options)
    return open_snapshot(store, "x")


def save(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix in {".parquet", ".pq"}:
        frame.write_parquet(path)
    elif path.suffix == ".arrows":
        frame.write_ipc_stream(path)
    else:
        frame.write_ipc(path, compression="lz4" if path.suffix == ".feather" else "uncompressed")


def test_sample_is_a_small_centre_without_repairs(tmp_path: Path) -> None:
    manifest = imported(tmp_path, SAMPLE).manifest
    assert (manifest.rows["agents"], manifest.rows["queues"], manifest.rows["interactions"]) == (12, 3, 300)
    assert manifest.rows["surveys"] and manifest.rows["members"] and manifest.rows["staffing"]
    assert not manifest.repairs and not manifest.assumptions
    assert manifest.interval["start"][:10] == "2024-03-04" and manifest.interval["end"][:10] == "2024-03-06"


@pytest.mark.parametrize("ending", [".parquet", ".pq", ".arrow", ".arrows", ".ipc", ".feather"])
def test_every_format_gives_the_same_snapshot(ending: str, tmp_path: Path) -> None:
    paths = {table: tmp_path / f"{table}{ending}" for table in SAMPLE}
    for table, path in paths.items():
        save(read_table(table, SAMPLE[table]), path)
    plain, other = imported(tmp_path / "csv", SAMPLE), imported(tmp_path / "other", paths)
    for table in TABLES:
        assert_frame_equal(other.table(table), plain.table(table))


@pytest.mark.parametrize("table", SAMPLE)
def test_text_columns_in_parquet_read_like_csv(table: str, tmp_path: Path) -> None:
    path = tmp_path / f"{table}.parquet"
    pl.read_csv(SAMPLE[table], infer_schema=False).write_parquet(path)
    assert_frame_equal(read_table(table, path), read_table(table, SAMPLE[table]))


PAIR = pa.struct([("proficiency", pa.float32()), ("name", pa.string())])
UNNAMED = pa.struct([("skill", pa.large_string()), ("level", pa.int8())])
SHAPES = [
    pa.array([[(4, "billing"), (5, "tech")], None, []], pa.list_(PAIR)),
    pa.array([[(4, "billing"), (None, "tech")], None, []], pa.large_list(PAIR)),
    pa.array([[("billing", 4), ("tech", 5)], None, []], pa.list_(UNNAMED)),
    pa.array([["billing:4", "tech"], None, []], pa.list_(pa.string())),
    pa.array([["billing:4", "tech"], None, []], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    pa.array([[("billing", 4), ("tech", 5)], None, []], pa.map_(pa.string(), pa.int64())),
    pa.array(["billing:4; tech", None, " "], pa.string()),
]


@pytest.mark.parametrize("skills", SHAPES, ids=lambda array: str(array.type)[:40])
def test_rated_skills_are_understood_in_every_shape(skills: pa.Array, tmp_path: Path) -> None:
    table = pa.table({"agent_id": ["a", "b", "c"], "skills": skills})
    with pa.ipc.new_file(str(tmp_path / "agents.arrow"), table.schema) as writer:
        writer.write_table(table)
    frame = read_table("agents", tmp_path / "agents.arrow")
    assert frame.schema["skills"] == RATED
    wanted = [{"name": "billing", "proficiency": 4.0}, {"name": "tech", "proficiency": 5.0}]
    assert frame["skills"].to_list() == [wanted, None, None]


def test_lists_in_csv(tmp_path: Path) -> None:
    agents = "agent_id,skills,languages,capacity\na1,a:b:3;tech:3.5,en;fr:2,Voice:1;chat:4\n"
    visit = "id,queue_id,arrived_at,required_skills,preferred\ni1,q,2024-03-04T09:00:00Z,b; a;b,a:1:90;a2:7.5\n"
    paths = write(tmp_path, agents=agents, interactions=visit)
    agent = read_table("agents", paths["agents"]).row(0, named=True)
    assert agent["skills"] == [{"name": "a:b", "proficiency": 3.0}, {"name": "tech", "proficiency": 3.5}]
    assert agent["languages"] == [{"name": "en", "proficiency": 5.0}, {"name": "fr", "proficiency": 2.0}]
    assert agent["capacity"] == [{"media": "voice", "count": 1}, {"media": "chat", "count": 4}]
    row = read_table("interactions", paths["interactions"]).row(0, named=True)
    assert row["skills"] == ["b", "a"]
    assert row["preferred"] == [{"agent_id": "a:1", "score": 90.0}, {"agent_id": "a2", "score": 7.5}]


def test_other_names_of_columns_are_understood(tmp_path: Path) -> None:
    visit = "ID,queue_id, Arrived_At ,required_skill,required_language\n7,q,2024-03-04T09:00:00Z,tech,en\n"
    paths = write(tmp_path, agents="id\na1\n", interactions=visit, queues="id\nq\n")
    row = read_table("interactions", paths["interactions"]).row(0, named=True)
    assert (row["interaction_id"], row["skills"], row["language"]) == ("7", ["tech"], "en")
    assert read_table("agents", paths["agents"])["agent_id"].to_list() == ["a1"]
    assert read_table("queues", paths["queues"])["queue_id"].to_list() == ["q"]


def test_queues_of_agents_stand_for_a_members_file(tmp_path: Path) -> None:
    agents = "agent_id,queues\na1,q1;q2\na2,\na3,q2\n"
    members = imported(tmp_path / "s", write(tmp_path, agents=agents, interactions=INTERACTIONS)).table("members")
    assert sorted(members.select("queue_id", "agent_id").rows()) == [("q1", "a1"), ("q2", "a1"), ("q2", "a3")]


def test_without_members_everybody_serves_every_queue(tmp_path: Path) -> None:
    snapshot = imported(tmp_path / "s", write(tmp_path, agents=AGENTS, interactions=INTERACTIONS))
    assert snapshot.table("members").height == 2
    assert any("every agent is a member of every queue" in text for text in snapshot.manifest.assumptions)


def test_numbers_of_parquet_in_any_type(tmp_path: Path) -> None:
    visit = {"id": ["i"], "queue_id": ["q"], "arrived_at": [datetime(2024, 3, 4, tzinfo=UTC)]}
    numbers = {"wait_s": [timedelta(seconds=1.5)], "handle_s": [Decimal("2.25")], "acw_s": [3], "csat": ["4.5"]}
    numbers |= {"csat_min": [1], "csat_max": [Decimal("5")]}
    pl.DataFrame(visit | numbers | {"eligible_count": [3.0]}).write_parquet(tmp_path / "interactions.parquet")
    row = read_table("interactions", tmp_path / "interactions.parquet").row(0, named=True)
    assert [row[name] for name in (*numbers, "eligible_count")] == [1.5, 2.25, 3.0, 4.5, 1.0, 5.0, 3]


@pytest.mark.parametrize(
    "change",
    [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text.rstrip("\n"),
     lambda text: "\n" + text.replace("\n", "\n\n"), lambda text: text.replace("a2", '"a2"')],
    ids=["byte order mark", "CRLF", "no last line end", "blank lines", "quoted"],
)  # fmt: skip
def test_the_ways_of_writing_csv_read_alike(change: Any, tmp_path: Path) -> None:
    plain = read_table("agents", write(tmp_path, agents=AGENTS)["agents"])
    assert_frame_equal(read_table("agents", write(tmp_path, agents=change(AGENTS))["agents"]), plain)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1, max_size=6))
def test_any_text_survives_csv_but_for_the_blanks_around_it(names: list[str]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("agent_id", "agent_name"), *enumerate(names)])
    with tempfile.TemporaryDirectory() as folder:
        frame = read_table("agents", write(Path(folder), agents=out.getvalue())["agents"])
    stripped = pl.Series(names).str.strip_chars().to_list()
    assert frame["agent_name"].to_list() == [name or None for name in stripped]


def test_formulas_and_marks_stay_text(tmp_path: Path) -> None:
    names = ['=HYPERLINK("x")', "+1", "@a", "#2", "null", "NA", "1e5", "ü€😀"]
    rows = "".join('{},"{}"\n'.format(i, name.replace('"', '""')) for i, name in enumerate(names))
    frame = read_table("agents", write(tmp_path, agents="agent_id,agent_name\n" + rows)["agents"])
    assert frame["agent_name"].to_list() == names


def test_case_of_listed_words_does_not_count(tmp_path: Path) -> None:
    visit = "id,queue_id,arrived_at,media,outcome\ni1,q1,2024-03-04T09:00:00Z,VOICE,Answered\n"
    members = "queue_id,agent_id,joined,ring\nq1,a1,TRUE,2.0\nq1,a2,no,\n"
    paths = write(tmp_path, interactions=visit, queues=QUEUES.replace("ALL", "best"), members=members)
    assert read_table("interactions", paths["interactions"]).select("media", "outcome").row(0) == ("voice", "answered")
    assert read_table("queues", paths["queues"])["evaluation_method"][0] == "BEST"
    assert read_table("members", paths["members"]).select("joined", "ring").rows() == [(True, 2), (False, 1)]


def test_trimming_is_counted(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=AGENTS.replace("a2,", " a2\t,"), interactions=INTERACTIONS)
    snapshot = imported(tmp_path / "s", paths)
    assert snapshot.table("agents")["agent_id"].to_list() == ["a1", "a2"]
    assert snapshot.manifest.repairs == {"agents: cells trimmed of blanks around their value": 1}


def test_columns_outside_the_table_are_named_and_never_stored(tmp_path: Path) -> None:
    content = INTERACTIONS.replace("handle_s\n", "handle_secs,phone\n").replace(",200", ",200,+4915112345678")
    paths = write(tmp_path, agents=AGENTS, interactions=content.replace(",150", ",150,"))
    snapshot = imported(tmp_path / "s", paths)
    said = [text for text in snapshot.manifest.assumptions if "were not stored" in text]
    assert said == [
        "interactions.csv: columns outside table interactions were not stored: "
        "handle_secs (did you mean handle_s?), phone"
    ]
    assert not any(b"15112345678" in path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file())


def test_interactions_naming_strangers_are_kept_and_counted(tmp_path: Path) -> None:
    """Up to 1 % of those answered, and any number of those whom nobody answered."""
    rows = [f"i{i:03},q1,2024-03-04T09:00:00Z,{agent},{outcome}\n" for i, (agent, outcome) in enumerate(
        [("a1", "answered")] * 198 + [("x", "answered")] * 2 + [("y", "abandoned"), ("", "answered")]
    )]  # fmt: skip
    content = "id,queue_id,arrived_at,agent_id,outcome\n" + "".join(rows)
    manifest = imported(tmp_path / "s", write(tmp_path, agents=AGENTS, interactions=content)).manifest
    assert manifest.rows["interactions"] == 202
    assert manifest.repairs == {"interactions: rows naming an agent who is not in agents": 3}
    (said,) = (text for text in manifest.assumptions if "not in agents" in text)
    assert "2, first x; 2 of 201 answered interactions are theirs" in said


def test_every_type_of_a_column_has_a_reader() -> None:
    """Also of tables that no import of files takes."""
    assert {column.dtype for table in TABLES.values() for column in table.columns} <= set(READERS)


def test_whole_numbers_are_as_wide_as_their_column(tmp_path: Path) -> None:
    path = tmp_path / "aggregates.csv"
    row = dict.fromkeys(TABLES["aggregates"].names, "1") | {"media": "voice", "start_at": "2024-03-04T09:00:00Z"}
    path.write_text(",".join(row) + "\n" + ",".join((row | {"offered": "3000000000.0"}).values()) + "\n")
    assert read_table("aggregates", path)["offered"].to_list() == [3_000_000_000]
    path.write_text(path.read_text().replace("3000000000.0", str(2**53 + 2)))
    with pytest.raises(InvalidTable, match="must be a whole number"):
        read_table("aggregates", path)


def test_order_of_rows_does_not_matter_for_interactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.files.storing.BATCH_ROWS", 7)
    head, *rows = SAMPLE["interactions"].read_text().splitlines()
    shuffled = "\n".join([head, *rows[1::2], *rows[::2]])
    paths = SAMPLE | {"interactions": write(tmp_path, interactions=shuffled)["interactions"]}
    frame = imported(tmp_path / "s", paths).table("interactions")
    assert_frame_equal(frame, imported(tmp_path / "t", SAMPLE).table("interactions"))
    assert frame["arrived_at"].is_sorted()


def test_progress_is_told_and_replacing_works(tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    import_files(tmp_path, "x", **SAMPLE, progress=lambda *step: steps.append(step))
    assert steps[0] == ("read agents, %", 100, 100) and steps[-1] == ("write interactions", 300, 300)
    manifest = import_files(tmp_path, "x", **SAMPLE, replace=True)
    assert manifest.source["files"]["agents"]["file"] == "agents.csv" and manifest.source["kind"] == "files"
