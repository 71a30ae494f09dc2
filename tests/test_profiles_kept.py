"""A profile that was kept is used the next month: files by pattern, new words, new files, columns that are gone."""

from __future__ import annotations

import pytest

from engine.errors import InvalidTable
from ingest.exports.inspection import inspect
from ingest.exports.profile.profile import Copied
from ingest.exports.profile.reading import profile_of
from ingest.exports.profile.writing import profile_text
from tests.exported_sheets import keys, part, rows, taken_for

HEAD = "Datum/Uhrzeit|Warteschlange|Kanal|Agent|Ergebnis|Wartezeit|Gespräch|Vorgang"
MARCH = rows(
    "export_2026-03.csv",
    HEAD,
    "13.03.2026 08:00:00|A|Anruf|Lind, Ada|beantwortet|0:00:10|0:03:00|1",
    "14.03.2026 08:01:00|B|Anruf||aufgelegt|0:01:10|0:00:00|2",
)
KEPT = inspect([MARCH], time_zone="Europe/Berlin").profile


def test_the_next_month_needs_no_question() -> None:
    """Its days leave the order open: the profile knows it, from the text that was kept."""
    kept = profile_of(profile_text(KEPT), "centre.toml")
    april = rows("export_2026-04.csv", HEAD, "03.04.2026 08:00:00|A|Anruf|Lind, Ada|beantwortet|0:00:10|0:03:00|7")
    found = inspect([april], profile=kept)
    assert keys(found) == [] and found.profile == kept
    assert taken_for(found, "export_2026-04.csv").why == "as the profile says"


def test_a_correction_by_hand_holds() -> None:
    """What a person wrote is not guessed again."""
    text = (
        profile_text(KEPT)
        .replace('"aufgelegt" = "abandoned"', "")
        .replace('aufgelegt = "abandoned"', 'aufgelegt = "flowed_out"')
    )
    text = text.replace('handle_s = "Gespräch"\n', "")
    found = inspect([MARCH], profile=profile_of(text, "centre.toml"))
    log = part(found, "interactions")
    assert log.values["outcome"]["aufgelegt"] == "flowed_out"
    assert "handle_s" not in log.columns


def test_new_words_are_added_or_asked_about() -> None:
    """A word that is known goes in; an unknown one with weight is a question."""
    lines = [f"03.04.2026 08:00:0{n}|A|E-Mail|Lind, Ada|umgeroutet|0:00:10|0:03:00|{n}" for n in range(5)]
    found = inspect([rows("export_2026-04.csv", HEAD, *lines)], profile=KEPT)
    assert part(found, "interactions").values["media"] == {"Anruf": "voice", "E-Mail": "email"}
    assert keys(found) == ["interactions.values.outcome.umgeroutet"]
    assert found.questions[0].likely == "answered"


def test_a_new_file_is_inspected() -> None:
    """Beside those that the profile knows."""
    queues = rows("queues.xlsx", "Warteschlange|Ziel", "A|80/20", "B|90/30")
    found = inspect([MARCH, queues], profile=KEPT)
    assert [each.table for each in found.profile.parts] == ["interactions", "queues"]
    assert part(found, "queues").columns["service_level"] == Copied("Ziel")


def test_a_part_that_meets_no_file_stays() -> None:
    """Its files may come again."""
    queues = rows("queues.xlsx", "Warteschlange|Ziel", "A|80/20", "B|90/30")
    both = inspect([MARCH, queues], profile=KEPT).profile
    assert [each.table for each in inspect([MARCH], profile=both).profile.parts] == ["interactions", "queues"]


def test_a_column_that_is_gone_is_named_with_what_is_near() -> None:
    """A renamed column is no silence."""
    renamed = rows(
        "export_2026-04.csv",
        HEAD.replace("Wartezeit", "Warte-Zeit"),
        "03.04.2026 08:00:00|A|Anruf|Lind, Ada|beantwortet|0:00:10|0:03:00|7",
    )
    with pytest.raises(InvalidTable) as refused:
        inspect([renamed], profile=KEPT)
    assert (
        "export_2026-04.csv: has no column 'Wartezeit', which the profile reads as wait_s; did you mean 'Warte-Zeit'?"
        in str(refused.value)
    )


def test_two_files_of_one_kind_become_one_pattern_only_where_it_fits_no_other() -> None:
    """Names that differ by a number alone, of two tables, stay as they are."""
    found = inspect(
        [
            rows("data_01.csv", "Warteschlange|Ziel", "A|80/20", "B|90/30"),
            rows("data_02.csv", "ID|Name|Skills", "7|Lind, Ada|A", "8|Berg, Bo|B"),
        ]
    )
    assert sorted(each.files for each in found.profile.parts) == [("data_01.csv",), ("data_02.csv",)]
