"""Names that look like several, or like another: asked about at import, settled by one option, never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import routelab
from api.terminal.cli import run
from engine.errors import InvalidScenario, InvalidTable
from ingest.files import import_files
from ingest.files.gathering import gather
from ingest.files.names import fold
from ingest.files.reading import Reading
from ingest.snapshot.reading import open_snapshot
from tests.small_files import refused, says, write

VISITS = "interaction_id,queue_id,arrived_at,skills,language\n"


def visits(*skills: str, language: str = "de", queue: str = "q") -> str:
    rows = [f'i{n},{queue},2024-03-04T09:00:00Z,"{skill}",{language}\n' for n, skill in enumerate(skills)]
    return VISITS + "".join(rows)


def agents(*skills: str, column: str = "skills") -> str:
    return f"agent_id,{column}\n" + "".join(f'a{n},"{skill}"\n' for n, skill in enumerate(skills))


def tables(folder: Path, paths: dict[str, Any], **options: Any) -> dict[str, pl.DataFrame]:
    return gather(paths, Reading.of(**options), lambda *_: None)[0]


def held(found: dict[str, pl.DataFrame], column: str = "skills") -> list[dict[str, float]]:
    rows = found["agents"][column].to_list()
    return [{entry["name"]: entry["proficiency"] for entry in row or ()} for row in rows]


@pytest.mark.parametrize(("skills", "separator", "levels"), [
    (("Rechnung (3), Technik (2)", "Technik"), ",;", [{"Rechnung": 3.0, "Technik": 2.0}, {"Technik": 5.0}]),
    (("Rechnung (3,5), Technik [2]",), ",;", [{"Rechnung": 3.5, "Technik": 2.0}]),
    (("Technik, Rechnung", "Technik"), ",;", [{"Technik": 5.0, "Rechnung": 5.0}, {"Technik": 5.0}]),
    (("Technik|Rechnung:2",), "|;", [{"Technik": 5.0, "Rechnung": 2.0}]),
    (("Technik=3, Rechnung=1",), ",;", [{"Technik": 3.0, "Rechnung": 1.0}]),
    (("Technik / Rechnung", "Technik", "Rechnung"), "/;", [{"Technik": 5.0, "Rechnung": 5.0}, {"Technik": 5.0},
                                                          {"Rechnung": 5.0}]),
])  # fmt: skip
def test_cells_that_look_like_several_are_asked_about_and_split_as_said(skills, separator, levels, tmp_path) -> None:
    paths = write(tmp_path, agents=agents(*skills), interactions=visits("Technik", "Rechnung"))
    lines = refused(tmp_path / "s", paths)
    assert len(lines) == 1
    told = "agents, column skills: 1 name looks like several in one: ..."
    assert says(lines[0], f'{told} --skills-separator "{separator}"')
    assert says(lines[0], "(1 row) ... --keep-names keeps them")
    assert held(tables(tmp_path, paths, skills_separator=separator)) == levels


def test_a_line_break_between_names_is_asked_about(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents("Technik\nRechnung:2"), interactions=visits("Technik"))
    (line,) = refused(tmp_path / "s", paths)
    assert says(line, r'agents.csv, row 2, column skills: ... --skills-separator "\n\t;" splits there')
    assert held(tables(tmp_path, paths, skills_separator=r"\n\t;")) == [{"Technik": 5.0, "Rechnung": 2.0}]


def test_a_list_as_a_program_writes_it_is_told_how_to_be_written(tmp_path: Path) -> None:
    text = 'agent_id,skills\na,"[""Technik"", ""Rechnung""]"\n'
    (line,) = refused(tmp_path / "s", write(tmp_path, agents=text, interactions=visits("Technik")))
    assert says(line, "1 name looks like several in one: ... write lists as text such as billing:5;tech:3.5")


def test_counts_are_of_rows_and_all_places_are_told(tmp_path: Path) -> None:
    text = visits("Technik, Rechnung", "Technik, Rechnung", "Technik", language='"de, en"')
    paths = write(tmp_path, agents=agents("Technik|Rechnung", "Technik|Rechnung", "Technik"), interactions=text)
    lines = refused(tmp_path / "s", paths)
    assert [line.partition(":")[0] for line in lines] == [
        "agents, column skills", "interactions, column skills", "interactions, column language",
    ]  # fmt: skip
    assert "'Technik|Rechnung' (2 rows)" in lines[0]
    assert "'Technik, Rechnung' (2 rows)" in lines[1]
    assert "'de, en' (3 rows); give one language for each row" in lines[2]


@pytest.mark.parametrize("skills", [
    ("Billing (EU)", "Tech"), ("Tier (2)", "Tier (3)"), ("Level-2 / Back Office",), ("Q&A", "R+V", "TCP/IP"),
    ("Technik;Rechnung:3",), ("Technik Support", "Technik", "Support"), ("Versand",), ("C++", "C"), ("24/7",),
])  # fmt: skip
def test_one_well_formed_skill_in_a_cell_is_never_refused(skills: tuple[str, ...], tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents(*skills), interactions=visits(*skills[0].split(";")[:1]))
    assert tables(tmp_path, paths)["agents"].height == len(skills)


def test_a_name_with_a_comma_that_both_tables_know_as_it_is_is_one(tmp_path: Path) -> None:
    """Nobody has Versand or Retouren alone; as soon as somebody has, the cell may be two."""
    both = "Versand, Retouren"
    paths = write(tmp_path, agents=agents(both, both), interactions=visits(both))
    assert held(tables(tmp_path, paths)) == [{both: 5.0}] * 2
    paths = write(tmp_path, agents=agents(both, "Versand"), interactions=visits(both))
    assert len(refused(tmp_path / "s", paths)) == 2


def test_a_number_in_brackets_is_a_level_where_the_name_stands_without(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents("Rechnung (3)", "Rechnung (2)"), interactions=visits("Rechnung"))
    (line,) = refused(tmp_path / "s", paths)
    assert says(line, '2 names look like several in one: ... --skills-separator ";" splits them, and takes a number in')
    assert held(tables(tmp_path, paths, skills_separator=";")) == [{"Rechnung": 3.0}, {"Rechnung": 2.0}]
    paths = write(tmp_path, agents=agents("Rechnung"), interactions=visits("Rechnung (2)"))
    (line,) = refused(tmp_path / "s", paths)
    assert "give the name alone, a requirement has no level" in line


def test_names_stay_as_they_are_where_that_was_said(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents("Technik, Rechnung"), interactions=visits("technik", "Technik"))
    found, notes = gather(paths, Reading.of(keep_names=True), lambda *_: None)
    assert held(found) == [{"Technik, Rechnung": 5.0}]
    assert [said for said in notes.assumptions if "kept apart" in said] == [
        "skills whose names differ in case or spaces only: 'Technik' (1 row), 'technik' (1 row); they were kept apart, "
        "as asked"
    ]  # fmt: skip


@pytest.mark.parametrize(("column", "cell"), [("languages", "de, en"), ("languages", "de|en"), ("queues", "q, r")])
def test_languages_and_lists_of_queues_are_asked_about_too(column: str, cell: str, tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents(cell, column=column), interactions=visits(""))
    (line,) = refused(tmp_path / "s", paths)
    assert line.startswith(f"agents, column {column}: 1 name looks like several in one: '{cell}' (1 row)")
    found = tables(tmp_path, paths, skills_separator=",|")
    parts = found["members"]["queue_id"].to_list() if column == "queues" else list(held(found, column)[0])
    assert parts == [part.strip() for part in cell.replace("|", ",").split(",")]


def test_an_id_of_a_queue_may_hold_a_comma(tmp_path: Path) -> None:
    paths = write(tmp_path, agents="agent_id\na\n", interactions=visits("", queue='"Sales, DE"'))
    assert tables(tmp_path, paths)["interactions"]["queue_id"].to_list() == ["Sales, DE"]


# --- one name in several spellings -----------------------------------------------------------------------------------

FILES = {
    "agents": "agent_id,skills,languages,queues\na0,Technik:3,DE,sales\na1,technik:4,de,Sales\na2,TECHNIK,de,Sales\n",
    "interactions": visits("Technik", "Technik", "tech nik", language="de", queue="SALES"),
    "handle_factors": "agent_id,skill,factor\na0,Technik ,1.5\n",
    "surveys": "survey_id,agent_id,queue_id,completed_at,score,scale_min,scale_max\n"
    "s,A1,sales,2024-03-04T10:00:00Z,4,1,5\n",
}


def test_names_that_differ_in_case_or_spaces_only_are_asked_about_across_tables(tmp_path: Path) -> None:
    lines = refused(tmp_path / "s", write(tmp_path, **FILES))
    remedy = "; --same-names takes each as one, --keep-names keeps them apart"
    told = "whose names differ in case or spaces only:"
    # Technik: one agent, two interactions, one factor. The three queues are each named by several tables.
    assert lines == [
        f"skills {told} 'Technik' (4 rows), 'TECHNIK' (1 row), 'tech nik' (1 row), 'technik' (1 row){remedy}",
        f"languages {told} 'de' (5 rows), 'DE' (1 row){remedy}",
        f"queues {told} 'SALES' (3 rows), 'Sales' (2 rows), 'sales' (2 rows){remedy}",
        f"agents {told} 'a1' (2 rows), 'A1' (1 row){remedy}",
    ]


def test_as_one_they_have_the_most_frequent_spelling_everywhere(tmp_path: Path) -> None:
    manifest = import_files(tmp_path / "s", "x", **write(tmp_path, **FILES), same_names=True)
    found = open_snapshot(tmp_path / "s", "x")
    assert [held({"agents": found.table("agents")}, column) for column in ("skills", "languages")] == [
        [{"Technik": 3.0}, {"Technik": 4.0}, {"Technik": 5.0}], [{"de": 5.0}] * 3,
    ]  # fmt: skip
    assert set(found.table("interactions")["queue_id"]) | set(found.table("members")["queue_id"]) == {"SALES"}
    assert found.table("interactions")["skills"].to_list() == [["Technik"]] * 3
    assert found.table("surveys").select("agent_id", "queue_id").row(0) == ("a1", "SALES")
    assert sum("taken as one, as asked" in said for said in manifest.assumptions) == 4
    assert manifest.repairs["interactions: skills: names brought to one spelling, as asked"] == 1
    assert manifest.repairs["agents: skills: names brought to one spelling, as asked"] == 2


def test_groups_in_two_spellings_are_asked_about_too(tmp_path: Path) -> None:
    """Groups are compared for fairness, and levers name them; a comma in one is no list."""
    paths = write(tmp_path, agents='agent_id,group\na,"Team A, Kiel"\nb,"team A, Kiel"\nc,"Team A, Kiel"\n')
    paths |= write(tmp_path, interactions=visits(""))
    (line,) = refused(tmp_path / "s", paths)
    assert line.startswith("groups whose names differ in case or spaces only: 'Team A, Kiel' (2 rows), 'team A, Kiel'")
    assert tables(tmp_path, paths, same_names=True)["agents"]["group"].unique().to_list() == ["Team A, Kiel"]


def test_the_table_of_queues_says_how_they_are_spelled(tmp_path: Path) -> None:
    files = {
        "agents": "agent_id\na\n",
        "interactions": visits("", "", "", queue="SALES"),
        "queues": "queue_id\nSales\n",
    }
    paths = write(tmp_path, **files)
    assert "queues whose names differ" in refused(tmp_path / "s", paths)[0]
    assert tables(tmp_path, paths, same_names=True)["interactions"]["queue_id"].to_list() == ["Sales"] * 3


def test_what_would_stand_twice_is_refused_and_not_merged(tmp_path: Path) -> None:
    paths = write(tmp_path, agents=agents("Technik:3;technik:4"), interactions=visits("Technik"))
    with pytest.raises(InvalidTable, match="names each skill or language once"):
        tables(tmp_path, paths, same_names=True)


def test_agents_with_ids_that_differ_in_case_are_two_agents(tmp_path: Path) -> None:
    """Ids of some platforms do; only an id that nobody has is asked about."""
    paths = write(tmp_path, agents="agent_id\nab\naB\n", interactions=visits(""))
    assert tables(tmp_path, paths)["agents"]["agent_id"].to_list() == ["ab", "aB"]
    text = "interaction_id,queue_id,arrived_at,agent_id\ni,q,2024-03-04T09:00:00Z,AB\n"
    with pytest.raises(InvalidTable, match="name agents who are not in the table agents"):
        tables(tmp_path, write(tmp_path, agents="agent_id\nab\naB\n", interactions=text))
    (line,) = refused(tmp_path / "s", write(tmp_path, agents="agent_id\nab\n", interactions=text))
    assert line.startswith("agents whose names differ in case or spaces only: 'ab' (1 row), 'AB' (1 row)")


@given(st.text(max_size=8))
def test_folding_knows_case_and_spaces_only(name: str) -> None:
    assert fold(f" {name} ") == fold(name)
    assert fold(fold(name)) == fold(name)
    assert fold("a" + name) != fold("b" + name)


# --- the doors -------------------------------------------------------------------------------------------------------


def test_the_command_line_asks_and_takes_the_answer(tmp_path: Path, capsys) -> None:
    paths = write(tmp_path, agents=agents("Rechnung (3), Technik (2)", "technik"), interactions=visits("Technik"))
    words = [part for table, path in paths.items() for part in (f"--{table}", str(path))]
    command = ["snapshot", "files", "--name", "x", "--store", str(tmp_path / "s"), *words]
    assert run(command) == 2
    said = capsys.readouterr().err
    assert "--skills-separator" in said
    assert "--same-names" in said
    assert run([*command, "--skills-separator", ","]) == 2
    assert "--skills-separator" not in capsys.readouterr().err
    assert run([*command, "--skills-separator", ",", "--same-names"]) == 0
    assert run([*command, "--keep-names", "--replace"]) == 0


@pytest.mark.parametrize("separator", ["", "  ", "a", ":", '"', "und", 5])
def test_what_cannot_separate_names_is_refused(separator: object) -> None:
    with pytest.raises(InvalidScenario, match=r"--skills-separator .*: give the characters that stand between"):
        Reading.of(skills_separator=separator)


def test_frames_are_asked_about_in_their_own_words() -> None:
    rows = [{"interaction_id": "i", "queue_id": "q", "arrived_at": "2024-03-04T09:00:00Z", "skills": ["Technik"]}]
    given_: dict[str, Any] = {"agents": [{"agent_id": "a", "skills": ["Technik;Rechnung"]}], "interactions": rows}
    with pytest.raises(InvalidTable, match='skills_separator=";" splits them, keep_names=True keeps them'):
        routelab.read(**given_)
    found = routelab.read(**given_, skills_separator=";").table("agents")
    assert [entry["name"] for entry in found["skills"][0]] == ["Technik", "Rechnung"]
    assert routelab.read(**given_, keep_names=True).table("agents")["skills"][0][0]["name"] == "Technik;Rechnung"
    plain = given_ | {"agents": [{"agent_id": "a", "skills": ["technik"]}]}
    with pytest.raises(InvalidTable, match="same_names=True takes each as one"):
        routelab.read(**plain)
    assert routelab.read(**plain, same_names=True).table("agents")["skills"][0][0]["name"] in ("Technik", "technik")
