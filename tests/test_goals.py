"""A goal is SHARE/SECONDS, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidScenario
from engine.scoring.weights import ServiceLevelGoal


def test_a_goal_is_a_share_and_seconds():
    goal = ServiceLevelGoal.parse("80/20")
    assert (goal.share, goal.seconds) == (0.8, 20.0)


@given(st.integers(1, 100), st.integers(0, 999_999))
def test_a_goal_reads_back_what_it_writes(percent, seconds):
    goal = ServiceLevelGoal.parse(f"{percent}/{seconds}")
    assert ServiceLevelGoal.parse(str(goal)) == goal


@pytest.mark.parametrize(
    "text", ["", "80", "80/", "/20", "80-20", "0/20", "101/20", "-80/20", "80/-20", "nan/20", "80/inf", "80/20/5"]
)
def test_what_is_no_goal_is_refused_with_the_way_to_write_one(text):
    with pytest.raises(InvalidScenario, match="SHARE/SECONDS"):
        ServiceLevelGoal.parse(text)
