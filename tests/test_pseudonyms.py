"""Pseudonyms are the same in all tables of an import, leave no name behind, and change nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from ingest.files import import_files
from ingest.snapshot.reading import Snapshot, open_snapshot
from tests.small_files import GOOD, MEMBERS, SAMPLE, SURVEYS, write


def imported(store: Path, paths: dict[str, Any], pseudonymise: bool = True) -> Snapshot:
    import_files(store, "x", **paths, pseudonymise=pseudonymise)
    return open_snapshot(store, "x")


SECRET = {
    "agents": "agent_id,agent_name,skills\nzelda.quist,Zelda Quist,tech\nyorick.bane,Yorick Bane,tech\n",
    # Somebody who is no agent only let it ring.
    "interactions": "id,queue_id,arrived_at,agent_id,preferred,outcome\n"
    "i1,q1,2024-03-04T09:00:00Z,zelda.quist,yorick.bane:9,answered\n"
    "i2,q1,2024-03-04T09:01:00Z,xaver.orth,,abandoned\n",
    "surveys": SURVEYS.replace(",a1,", ",zelda.quist,"),
    "members": MEMBERS.replace(",a1,", ",zelda.quist,"),
    "queues": 'queue_id,routing_rules\nq1,"[{""operator"": ""ANY"", ""waitSeconds"": 9, ""by"": ""yorick.bane""}]"\n',
    "staffing": GOOD["staffing"].replace("a1", "zelda.quist"),
    "busy": GOOD["busy"].replace("a1", "yorick.bane"),
    "handle_factors": GOOD["handle_factors"].replace("a1", "zelda.quist"),
}


def test_pseudonyms_are_the_same_in_all_tables_and_leave_no_name(tmp_path: Path) -> None:
    snapshot = imported(tmp_path / "s", write(tmp_path, **SECRET))
    zelda = snapshot.table("members")["agent_id"][0]
    for table in ("surveys", "staffing", "handle_factors"):
        assert snapshot.table(table)["agent_id"].to_list() == [zelda]
    visits, agents = snapshot.table("interactions"), snapshot.table("agents")
    yorick = snapshot.table("busy")["agent_id"][0]
    assert sorted({zelda, yorick, visits["agent_id"][1]}) == ["A0001", "A0002", "A0003"]
    assert visits["agent_id"][0] == zelda and visits["preferred"][0][0]["agent_id"] == yorick
    assert agents["agent_id"].to_list() == agents["agent_name"].to_list() == sorted([zelda, yorick])
    assert yorick in snapshot.table("queues")["routing_rules"][0]
    files = [path.read_bytes().lower() for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert not any(name in file for file in files for name in (b"zelda", b"yorick", b"xaver", b"quist"))
    assert any("thrown away" in text for text in snapshot.manifest.assumptions)


def test_codes_do_not_follow_ids_or_rows_and_differ_between_imports(tmp_path: Path) -> None:
    agents = "agent_id\n" + "".join(f"agent{i:03}\n" for i in range(200))
    rows = "".join(f"{i},q,2024-03-04T09:00:00Z,agent{i:03},abandoned\n" for i in range(100, 300))
    paths = write(tmp_path, agents=agents, interactions="id,queue_id,arrived_at,agent_id,outcome\n" + rows)
    codes = [imported(tmp_path / part, paths).table("interactions")["agent_id"].to_list() for part in "st"]
    assert codes[0] != codes[1] and all(list(part) != sorted(part) for part in codes)


def test_another_spelling_of_an_id_leaves_no_name_either(tmp_path: Path) -> None:
    rows = SECRET["interactions"].replace("xaver.orth", "Zelda.Quist")
    store = tmp_path / "s"
    manifest = import_files(
        store, "x", **write(tmp_path, **SECRET | {"interactions": rows}), pseudonymise=True, same_names=True
    )
    assert any(
        "agents whose ids differ from another in case or spaces only: 1" in said for said in manifest.assumptions
    )
    files = [path.read_bytes().lower() for path in store.rglob("*") if path.is_file()]
    assert not any(name in file for file in files for name in (b"zelda", b"quist"))


def test_the_sample_keeps_its_rows_under_codes(tmp_path: Path) -> None:
    plain = imported(tmp_path / "s", SAMPLE, pseudonymise=False).table("interactions")
    coded = imported(tmp_path / "t", SAMPLE).table("interactions")
    assert_frame_equal(coded.drop("agent_id"), plain.drop("agent_id"))
    pairs = pl.DataFrame({"code": coded["agent_id"], "name": plain["agent_id"]}).unique()
    assert pairs["code"].n_unique() == pairs["name"].n_unique() == pairs.height
