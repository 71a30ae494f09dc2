"""Tables of cells in files: what is read is what stands there, with the numbers that rows have in the file."""

import datetime as dt

import polars as pl
import pytest
import xlsxwriter

from engine.errors import InvalidTable, MissingInput
from ingest.sheets import read_sheets


def one(path, **kept):
    """The one sheet of a file."""
    [sheet] = read_sheets([str(path)], **kept)
    return sheet


def written(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def book(folder, name="book.xlsx", **sheets):
    """A workbook with sheets as lists of rows."""
    path = folder / name
    with xlsxwriter.Workbook(path) as workbook:
        for title, rows in sheets.items():
            sheet = workbook.add_worksheet(title)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_delimiter_and_encoding_are_told_by_content(tmp_path, delimiter, encoding):
    rows = [["Warteschlange", "Wartezeit", "Agent"], ["Service", "12", "Groß"], ["Technik", "7", "Müller"]]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    sheet = one(written(tmp_path, "export.csv", text, encoding))
    assert sheet.frame.columns == rows[0]
    assert sheet.frame.rows() == [tuple(row) for row in rows[1:]]
    assert sheet.rows.tolist() == [2, 3]


def test_titles_stand_above_the_header_and_totals_below_the_rows(tmp_path):
    above, below = "Report: Interactions;;\nFrom: 02.03.2026;;\n\n", "Summe;19;18\n"
    text = f"{above}Queue;Offered;Answered\nService;12;11\nTechnik;7;7\n{below}"
    sheet = one(written(tmp_path, "report.csv", text))
    assert sheet.frame.columns == ["Queue", "Offered", "Answered"]
    assert sheet.frame.rows() == [("Service", "12", "11"), ("Technik", "7", "7")]
    assert sheet.rows.tolist() == [5, 6]
    assert sheet.notes == ("2 rows above the header", "1 row of totals left out")


def test_rows_behind_quoted_line_breaks_and_blank_lines_have_their_lines(tmp_path):
    # Lines: 1 header, 2-3 the first row, 4 blank, 5 the second row.
    sheet = one(written(tmp_path, "export.csv", 'id,note\n1,"a\nb, c"\n\n2, d \n'))
    assert sheet.frame.rows() == [("1", "a\nb, c"), ("2", "d")]
    assert sheet.rows.tolist() == [2, 5]


def test_a_row_that_lacks_a_value_is_named_by_its_line(tmp_path):
    with pytest.raises(InvalidTable, match=r"export.csv, row 3: '1;2': 2 values where the header names 3 columns"):
        read_sheets([str(written(tmp_path, "export.csv", "a;b;c\n1;2;3\n1;2\n4;5;6\n"))])


def test_a_workbook_keeps_its_types_and_ids_are_whole_numbers(tmp_path):
    rows = [["id", "mixed", "share"], [1001, "x7", 0.5], [1002, 1003, 2]]
    sheet = one(book(tmp_path, Agents=[["Staff"], [], *rows]))
    assert sheet.frame.schema == {"id": pl.Int64, "mixed": pl.String, "share": pl.Float64}
    assert sheet.frame.rows() == [(1001, "x7", 0.5), (1002, "1003", 2.0)]
    assert sheet.rows.tolist() == [4, 5]


def test_times_of_a_workbook_are_times_and_clock_times_over_a_day_durations(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        moment, clock = (workbook.add_format({"num_format": each}) for each in ("dd.mm.yyyy hh:mm:ss", "hh:mm:ss"))
        sheet.write_row(0, 0, ["arrived", "talk"])
        for row, (at, days) in enumerate(
            [(dt.datetime(2026, 3, 2, 8, 0, 26), 0.25), (dt.datetime(2026, 3, 3), 1.5)], 1
        ):
            sheet.write_datetime(row, 0, at, moment)
            sheet.write_number(row, 1, days, clock)
    # 0.25 days are 6 hours, 1.5 days 36 hours: Excel shows 06:00:00 and 12:00:00.
    assert one(path).frame.rows() == [
        (dt.datetime(2026, 3, 2, 8, 0, 26), dt.timedelta(hours=6)),
        (dt.datetime(2026, 3, 3), dt.timedelta(hours=36)),
    ]


def test_each_sheet_that_holds_a_table_is_one_and_one_is_asked_for_by_name(tmp_path):
    path = book(tmp_path, Agents=[["id"], ["a1"]], Notes=[], Queues=[["queue"], ["q1"]])
    assert [sheet.name for sheet in read_sheets([str(path)])] == ["book.xlsx#Agents", "book.xlsx#Queues"]
    assert one(f"{path}#queues").frame.rows() == [("q1",)]
    with pytest.raises(InvalidTable, match=r"no sheet is called 'Queus'; did you mean book.xlsx#Queues"):
        read_sheets([f"{path}#Queus"])


def test_files_with_the_same_columns_are_one_sheet_in_any_order_of_columns(tmp_path):
    written(tmp_path, "2026-01.csv", "id;queue\n1;Service\n2;Technik\n")
    written(tmp_path, "2026-02.csv", "queue;id\nService;3\n")
    written(tmp_path, "agents.csv", "agent\na1\n")
    calls, agents = read_sheets([str(tmp_path)])
    assert (calls.name, agents.name) == ("2026-0*.csv", "agents.csv")
    assert calls.frame.rows() == [("1", "Service"), ("2", "Technik"), ("3", "Service")]
    assert calls.place(2) == "2026-02.csv, row 2"


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    for site in ("north", "south"):
        (tmp_path / site).mkdir()
        written(tmp_path / site, "calls.csv", f"id;site\n1;{site}\n")
    calls = one(tmp_path / "*" / "calls.csv")
    assert [calls.place(row) for row in (0, 1)] == ["north/calls.csv, row 2", "south/calls.csv, row 2"]


def test_a_file_is_not_taken_twice(tmp_path):
    path = written(tmp_path, "a.csv", "id;queue\n1;Service\n")
    with pytest.raises(MissingInput, match="is named twice"):
        read_sheets([str(path), str(tmp_path / "*.csv")])
    written(tmp_path, "a (1).csv", path.read_text())
    with pytest.raises(InvalidTable, match="holds the same rows as"):
        read_sheets([str(tmp_path)])
