"""Profiles that come with the product: exports are recognised by their published columns, and it is said."""

from __future__ import annotations

import pytest

from ingest.exports.inspection import inspect
from ingest.exports.profile.builtin import builtin_profiles
from ingest.exports.profile.profile import Copied, Summed
from ingest.exports.profile.reading import profile_of
from ingest.exports.profile.writing import profile_text
from tests.exported_sheets import keys, part, rows, taken_for
from tests.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "profiles.md"


def test_every_one_says_where_its_names_are_published() -> None:
    """And is a profile as any other: written and read back the same."""
    assert len(builtin_profiles()) >= 5
    for profile in builtin_profiles():
        assert profile.source
        assert profile_of(profile_text(profile), "again") == profile


@pytest.mark.parametrize(
    "block", [each for each in blocks(PAGE) if each.language == "toml"], ids=lambda each: each.name
)
def test_profiles_of_the_page_are_profiles(block: Block) -> None:
    """Each example can be read as it stands, and written again."""
    profile = profile_of(block.text, block.name)
    assert profile.parts and profile_of(profile_text(profile), "again") == profile


def test_the_interactions_view_is_recognised() -> None:
    """Milliseconds are those of the view; what the view calls users are the agents."""
    found = inspect(
        [
            rows(
                "view.csv",
                "Media Type|Users|Remote|Date|Duration|Direction|ANI|DNIS|Queue|Wrap-up|Conversation ID|"
                "Abandoned|Total Queue|Total Talk|Total Hold|Total ACW|Total Handle",
                "voice|Grace Patel|+1 317-555-0142|3/17/26 8:00 AM|00:05:52|Inbound|tel:+13175550142|"
                "tel:+13175550100|Billing|Default|6f2d|NO|00:00:12|00:04:51|00:00:00|00:00:41|00:05:32",
                "voice||+1 317-555-0188|3/17/26 8:01 AM|00:01:35|Inbound|tel:+13175550188|tel:+13175550100|"
                "Sales||7a3e|YES|00:01:21|||||",
            )
        ],
        time_zone="America/New_York",
    )
    assert taken_for(found, "view.csv").why.startswith("the Interactions view of Genesys Cloud")
    assert keys(found) == []
    view = part(found, "interactions")
    assert view.columns["wait_s"] == Copied("Total Queue") and view.columns["agent_id"] == Copied("Users")
    assert view.values["outcome"] == {"NO": "answered", "YES": "abandoned"}
    assert view.dates == "mdy" and set(view.personal) == {"Remote", "ANI"}


def test_a_performance_view_by_agent_is_known_and_not_read() -> None:
    """Its sums are no rows of a table; next month it is left out as well."""
    found = inspect(
        [
            rows(
                "Agent Performance 2026-03.csv",
                "Agent Name|Media Type|Answer|Handle|Avg Handle|Avg Talk|Avg Hold|Avg ACW",
                "Grace Patel|voice|40|40|00:05:00|00:04:00|00:00:10|00:00:50",
                "Ann Doe|voice|31|31|00:04:00|00:03:00|00:00:10|00:00:50",
            )
        ]
    )
    assert taken_for(found, "Agent Performance 2026-03.csv").table is None
    assert "known, and no table of ours" in taken_for(found, "Agent Performance 2026-03.csv").why
    assert [(each.table, each.files) for each in found.profile.parts] == [("none", ("Agent Performance *.csv",))]


def test_a_plain_log_of_calls_is_recognised() -> None:
    """Handling is talk, hold and after-call work."""
    found = inspect(
        [
            rows(
                "log.csv",
                "Call ID|Queue|Queue Start Time|Agent|Disposition|Queue Time|Ring Time|Talk Time|Hold Time|"
                "After Call Work Time|Caller ID",
                "1|Sales|2026-03-17 08:00:00|ada|Answered|12|3|200|0|30|+4930555123",
                "2|Sales|2026-03-17 08:01:00||Abandoned|80|0|0|0|0|+4930555124",
            )
        ],
        time_zone="Europe/Berlin",
    )
    assert taken_for(found, "log.csv").why.startswith("a generic ACD log")
    log = part(found, "interactions")
    assert log.columns["handle_s"] == Summed(("Talk Time", "Hold Time", "After Call Work Time"))
    assert log.columns["arrived_at"] == Copied("Queue Start Time")
    assert log.personal == ("Caller ID",)
