"""Which row names the columns, whatever stands above it and in how many rows."""

import pytest

from engine.errors import InvalidTable
from ingest.sheets import read_sheets
from tests.test_sheets import book


def read(folder, text):
    """The one sheet of a text of lines and semicolons."""
    path = folder / "export.csv"
    path.write_text(text, "utf-8")
    [sheet] = read_sheets([str(path)])
    return sheet


HEADERS = {
    "plain": ("Queue;Offered\nService;12\n", ["Queue", "Offered"]),
    "one column": ("agent_id\nk1\nk2\n", ["agent_id"]),
    "a title": ("Report\nQueue;Offered;Answered\nService;12;11\n", ["Queue", "Offered", "Answered"]),
    "titles as wide as a narrow table": (
        "Bericht;Intervalle\nZeitraum:;02.03.2026\n\nIntervall;Anzahl\n08:00;12\n08:30;9\n",
        ["Intervall", "Anzahl"],
    ),
    "a blank row behind the header": ("Queue;Offered\n\nService;12\nTechnik;7\n", ["Queue", "Offered"]),
    "blank and repeated names": ("Name;;Skill;Skill\nAnn;1;a;b\n", ["Name", "column 2", "Skill", "Skill (2)"]),
    "a delimiter at the end of the header": ("Queue;Offered;\nService;12\n", ["Queue", "Offered"]),
    "a delimiter at the end of each row": ("Queue;Offered\nService;12;\nTechnik;7;\n", ["Queue", "Offered"]),
    "days of a plan": ("Agent;02.03.2026;03.03.2026\nAnn;08:00-16:00;frei\n", ["Agent", "02.03.2026", "03.03.2026"]),
    "numbered days": ("Agent;1;2;3\nAnn;F;F;S\nBo;S;frei;F\n", ["Agent", "1", "2", "3"]),
    "weekdays over days": ("Agent;Mo;Di\n;02.03.;03.03.\nAnn;F;S\n", ["Agent", "02.03.", "03.03."]),
    "weekdays under days": ("Agent;02.03.;03.03.\n;Mo;Di\nAnn;F;S\n", ["Agent", "02.03.", "03.03."]),
    "groups over names": (
        ";Service;;Technik;\nIntervall;Anzahl;AHT;Anzahl;AHT\n08:00;12;300;7;410\n",
        ["Intervall", "Service Anzahl", "Service AHT", "Technik Anzahl", "Technik AHT"],
    ),
    "names under a group": (
        "ID;Name;Skills;;\n;;Service;Technik;Chat\n1;Ann;5;;x\n2;Bo;;3;\n",
        ["ID", "Name", "Service", "Technik", "Chat"],
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_columns_are_named_as_people_read_them(case, tmp_path):
    text, names = HEADERS[case]
    assert read(tmp_path, text).frame.columns == names


def test_rows_under_two_rows_of_names_have_their_lines(tmp_path):
    for text in ("Agent;Mo;Di\n;02.03.;03.03.\nAnn;F;S\n", "Agent;02.03.;03.03.\n;Mo;Di\nAnn;F;S\n"):
        sheet = read(tmp_path, text)
        assert sheet.frame.rows() == [("Ann", "F", "S")] and sheet.rows.tolist() == [3]


@pytest.mark.parametrize("total", ["Summe", "Gesamt:", "Total", "Grand Total (2 queues)", "Durchschnitt"])
@pytest.mark.parametrize("place", ["above", "below"])
def test_totals_are_no_rows(total, place, tmp_path):
    rows = ["Service;12", "Technik;7"]
    rows.insert(0 if place == "above" else 2, f"{total};19")
    sheet = read(tmp_path, "\n".join(["Queue;Offered", *rows]))
    assert sheet.frame.rows() == [("Service", "12"), ("Technik", "7")]
    assert sheet.notes == ("1 row of totals left out",)
    assert sheet.rows.tolist() == ([3, 4] if place == "above" else [2, 3])


def test_remarks_below_and_headers_again_are_no_rows(tmp_path):
    text = "a;b;c;d\n1;2;3;4\na;b;c;d\n5;6;7;8\n\nExported by Ann;02.03.2026\n"
    sheet = read(tmp_path, text)
    assert sheet.frame.rows() == [("1", "2", "3", "4"), ("5", "6", "7", "8")]
    assert sheet.rows.tolist() == [2, 4]
    assert sheet.notes == ("1 row repeating the header left out", "1 row of remarks at the end left out")


def test_values_without_names_above_them_are_told(tmp_path):
    with pytest.raises(InvalidTable, match=r"export.csv, row 1: values \('02.03.2026 08:00', '12', .* above them"):
        read(tmp_path, "02.03.2026 08:00;12;Service\n02.03.2026 08:30;7;Technik\n")


PLAN = [["Agent", "02.03.2026", "03.03.2026", "04.03.2026"], ["Ann", "F", "S", "frei"], ["Bo", "S", "F", None]]
LEGENDS = {
    "in two cells": [["F", "06:00-14:00"], ["S", "14:00-22:00"]],
    "under a title": [["Legende"], ["F", "06:00-14:00"], ["S", "14:00-22:00"]],
    "under names": [["Code", "Zeiten"], ["F", "06:00-14:00"], ["S", "14:00-22:00"]],
    "in one cell": [["Legende:"], ["F = 06:00-14:00"], ["S = 14:00-22:00"]],
    "aside": [[None, "F", "06:00-14:00"], [None, "S", "14:00-22:00"]],
}


@pytest.mark.parametrize("case", LEGENDS)
def test_a_legend_below_a_plan_is_a_table_of_its_own(case, tmp_path):
    plan, below = read_sheets([str(book(tmp_path, "plan.xlsx", Plan=[*PLAN, [], *LEGENDS[case]]))])
    assert (plan.name, below.name) == ("plan.xlsx#Plan", "plan.xlsx#Plan, below")
    assert plan.frame["Agent"].to_list() == ["Ann", "Bo"]
    assert below.frame.rows() == [("F", "06:00-14:00"), ("S", "14:00-22:00")]
    last = 4 + len(LEGENDS[case])
    assert below.rows.tolist() == [last - 1, last]
    assert below.frame.columns == (["Code", "Zeiten"] if case == "under names" else ["code", "span"])


def test_remarks_below_a_table_are_no_rows_and_narrow_rows_above_a_blank_one_are(tmp_path):
    rows = [*PLAN, ["Cleo", None, None, "F"], [], ["made by hand"]]
    [plan] = read_sheets([str(book(tmp_path, "plan.xlsx", Plan=rows))])
    assert plan.name == "plan.xlsx" and plan.frame["Agent"].to_list() == ["Ann", "Bo", "Cleo"]
    assert plan.notes == ("1 row of remarks at the end left out",)


def test_a_legend_below_a_plan_in_text_is_left_out(tmp_path):
    sheet = read(tmp_path, "Agent;1;2;3\nAnn;F;S;F\nBo;S;F;S\n;;;\nF;06:00-14:00;;\nS;14:00-22:00;;\n")
    assert sheet.frame["Agent"].to_list() == ["Ann", "Bo"]
    assert sheet.notes == ("2 rows of remarks at the end left out",)
