"""All problems of all files come together, each with the row as its reader counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.files import read_table
from tests.small_files import AGENTS, INTERACTIONS, SURVEYS, refused, says, write

SECOND = "2024-03-04T09:00:05Z"


def test_all_problems_of_a_file_are_gathered(tmp_path: Path) -> None:
    bad = "i1,q1,noon,tech,en,x,-1\ni4,,2024-03-04T09:00:05Z,tech,en,-2,y\ni5,q1,z\n"
    found = "\n".join(refused(tmp_path / "store", write(tmp_path, agents=AGENTS, interactions=INTERACTIONS + bad)))
    for text in (
        "row 4, column arrived_at: 'noon'", "row 4, column wait_s: 'x'", "row 5, column handle_s: 'y'",
        "row 5, column queue_id: nothing", "row 5, column wait_s: -2.0", "row 6: 'i5,q1,z'",
    ):  # fmt: skip
        assert text in found
    # A time that cannot be read is one problem, not also an empty cell.
    assert found.count("\n") == 5


def test_more_than_twenty_problems_are_counted(tmp_path: Path) -> None:
    numbers = "alert_s,wait_s,handle_s,acw_s,patience_s,csat,priority,eligible_count"
    rows = [f"i{i},q1,{SECOND}{f',{bad}' * 8}" for i, bad in enumerate(("x", '"1,5"', "inf"))]
    content = "\n".join([f"interaction_id,queue_id,arrived_at,{numbers}", *rows])
    lines = refused(tmp_path / "store", write(tmp_path, agents=AGENTS, interactions=content))
    assert len(lines) == 21 and lines[-1].startswith("and ") and "more problems" in lines[-1]


def test_equal_mistakes_share_one_line_that_names_their_rows(tmp_path: Path) -> None:
    rows = "".join(f"i{i},q1,2024-03-04T09:00:00Z,,,soon,1\n" for i in range(9, 109))
    lines = refused(tmp_path / "store", write(tmp_path, agents=AGENTS, interactions=INTERACTIONS + rows))
    assert len(lines) == 1
    assert says(lines[0], "row 4, column wait_s: 'soon' ... 100 rows have this, also 5, 6, 7 and 96 more")


def test_problems_of_several_files_come_together(tmp_path: Path) -> None:
    bad = {"agents": AGENTS.replace("a2", "a1"), "interactions": INTERACTIONS.replace(",150", ",x")}
    lines = refused(tmp_path / "store", write(tmp_path, surveys=SURVEYS.replace(",4,", ",9,"), **bad))
    assert [line.split(",")[0] for line in lines] == ["agents.csv", "surveys.csv", "interactions.csv"]


def test_rows_are_lines_of_the_file_also_after_quoted_line_ends_and_blank_lines(tmp_path: Path) -> None:
    content = 'agent_id,agent_name\n\na1,"Ann\nof\r\nGreen Gables"\r\n\na2,"say ""hi"", Bo"\na1,again\n'
    lines = refused(tmp_path / "store", write(tmp_path, agents=content, interactions=INTERACTIONS))
    assert lines[0].startswith("agents.csv, row 8, column agent_id: 'a1'")


def test_rows_are_right_across_the_pieces_a_file_is_read_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sheets.text.rows.PIECE_BYTES", 50)
    rows = "".join(f'i{i},q1,2024-03-04T09:00:00Z,"a;\nb",en,1,2\n' for i in range(3, 40))
    content = INTERACTIONS + rows + "i99,q1,2024-03-04T09:00:00Z,,,x,2\n\ni98,q1\n"
    lines = refused(tmp_path / "store", write(tmp_path, agents=AGENTS, interactions=content))
    assert "row 78, column wait_s: 'x'" in lines[0] and "row 80: 'i98,q1'" in lines[1]
    good = read_table("interactions", write(tmp_path, interactions=INTERACTIONS + rows)["interactions"])
    assert good.height == 39 and good["skills"][5].to_list() == ["a", "b"]


def test_row_longer_than_any_table_needs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sheets.text.rows.PIECE_BYTES", 50)
    monkeypatch.setattr("ingest.sheets.text.rows.LONGEST_ROW_BYTES", 200)
    content = AGENTS + '"a3' + "x\n" * 300
    line = refused(tmp_path / "store", write(tmp_path, agents=content, interactions=INTERACTIONS))[0]
    assert says(line, "agents.csv, row 4: the row does not end; is a double quote left open?")
