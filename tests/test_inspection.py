"""Files are taken for what they are, by names in several languages, by cells and by each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest

from ingest.exports.inspection import inspect
from ingest.exports.profile.profile import Copied
from ingest.sheets.sheet import Sheet
from tests.exported_sheets import column, keys, part, rows, taken_for


def german() -> list[Sheet]:
    """A centre as a German export has it: agents by name, a plan with days across."""
    return [
        rows(
            "export_2026-03.csv",
            "Datum/Uhrzeit|Warteschlange|Medientyp|Agent|Ergebnis|Wartezeit|Bearbeitungszeit|ANI|Conversation-ID",
            "13.03.2026 08:00:26|Vertrieb|Sprachanruf|Lang, Peter|beantwortet|00:00:00|00:03:28|+4933991955|c1",
            "13.03.2026 08:04:16|Technik|Sprachanruf||aufgelegt|00:05:23|00:00:00|+49813239957|c2",
            "13.03.2026 08:14:19|Technik|Chat|Groß, Greta|beantwortet|00:01:32|00:04:00|+49730258723|c3",
            "14.03.2026 09:14:19|Vertrieb|Chat|Groß, Greta|beantwortet|00:11:32|00:05:00|+49730258724|c4",
        ),
        rows(
            "agents.xlsx",
            "Personalnr|Name|Skills|Sprachen|Team",
            "1000|Lang, Peter|Vertrieb (5), Technik (2)|Deutsch|Vertrieb",
            "1001|Groß, Greta|Technik (3)|Deutsch, Englisch|Technik",
        ),
        rows("queues.xlsx", "Warteschlange|Medium|Ziel", "Vertrieb|voice|80/20", "Technik|voice|80/30"),
        rows(
            "schedule.xlsx",
            "Agent|13.03.2026|14.03.2026",
            "Lang, Peter|08:00-16:30|frei",
            "Groß, Greta|krank|10:00-18:30",
        ),
    ]


def test_a_german_export_is_understood() -> None:
    """Which file is what, which column is what, what the words mean; only the zone is asked."""
    found = inspect(german())
    assert [each.table for each in found.sheets] == ["interactions", "agents", "queues", "shifts"]
    assert keys(found) == ["time_zone"]
    calls = part(found, "interactions")
    assert calls.columns == {
        "interaction_id": Copied("Conversation-ID"),
        "queue_id": Copied("Warteschlange"),
        "arrived_at": Copied("Datum/Uhrzeit"),
        "media": Copied("Medientyp"),
        "outcome": Copied("Ergebnis"),
        "agent_id": Copied("Agent"),
        "wait_s": Copied("Wartezeit"),
        "handle_s": Copied("Bearbeitungszeit"),
    }
    assert calls.values == {
        "media": {"Sprachanruf": "voice", "Chat": "chat"},
        "outcome": {"beantwortet": "answered", "aufgelegt": "abandoned"},
    }
    assert (calls.files, calls.dates, calls.rows, calls.personal) == (("export_*.csv",), "dmy", "visit", ("ANI",))
    assert part(found, "agents").columns == {
        "agent_id": Copied("Personalnr"),
        "agent_name": Copied("Name"),
        "skills": Copied("Skills"),
        "languages": Copied("Sprachen"),
        "group": Copied("Team"),
    }
    assert part(found, "queues").columns["service_level"] == Copied("Ziel")
    assert part(found, "shifts").columns == {"agent_id": Copied("Agent")}


@pytest.mark.parametrize("order", list(permutations(range(4)))[7::9])
def test_the_order_of_the_files_does_not_matter(order: Sequence[int]) -> None:
    """The same parts come out, whichever file is given first."""
    sheets = german()
    plain, shuffled = inspect(sheets), inspect([sheets[n] for n in order])
    assert {each.table: each for each in plain.profile.parts} == {each.table: each for each in shuffled.profile.parts}


def test_samples_of_customers_tell_nothing() -> None:
    """A phone number is shown by its shape only, and never stored."""
    ani = column(inspect(german()), "export_2026-03.csv", "ANI")
    assert ani.is_personal and ani.ours is None
    assert set("".join(ani.samples)) <= set("+9")


def test_a_sheet_that_is_nothing_says_so() -> None:
    """It becomes no part of the profile."""
    found = inspect([rows("weather.csv", "station name|temp|rain", "Kiel|7.1|0.2", "Bonn|9.3|1.1")])
    assert taken_for(found, "weather.csv").table is None
    assert found.profile.parts == ()
