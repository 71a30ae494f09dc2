"""Lists of agents and queues, plans, surveys and volumes of other centres, told by names, cells and each other."""

from __future__ import annotations

import pytest

from engine.errors import InvalidScenario
from ingest.exports.inspection import inspect
from ingest.exports.inspection.found import Found
from ingest.exports.profile.profile import Between, Copied, Joined, Named, Same, Shifted, Spread
from ingest.sheets.sheet import Sheet
from tests.exported_sheets import keys, part, rows, taken_for

LOG = rows(
    "log.csv",
    "Start|Queue|Skill needed|Agent|Wait|Result|Call ID",
    "2026-04-13 08:00:00|Billing|Billing|Ada Lind|3|answered|1",
    "2026-04-14 08:00:00|Tech|Tech|Bo Berg|3|answered|2",
    "2026-04-14 08:00:00|Tech|Tech||3|abandoned|3",
)
AGENTS = rows("agents.csv", "ID|Name|E-Mail", "7|Lind, Ada|ada.lind@example.org", "8|Berg, Bo|bo.berg@example.org")


def looked(*sheets: Sheet, **given: object) -> Found:
    """Inspected with the zone given."""
    return inspect(sheets, time_zone="Europe/Berlin", **given)  # type: ignore[arg-type]


def test_first_name_and_surname_are_one_name() -> None:
    """Whatever numbers them is their id, known by name or not."""
    found = looked(
        rows("staff.csv", "Zähler|Vorname|Nachname|Team", "101|Ada|Lind|N", "102|Bo|Berg|N", "103|Cy|Dahl|S")
    )
    agents = part(found, "agents")
    assert agents.columns["agent_name"] == Named(("Vorname", "Nachname"))
    assert agents.columns["agent_id"] == Copied("Zähler")


def test_agents_without_numbers_are_told_by_their_names() -> None:
    """And it is said."""
    found = looked(rows("staff.csv", "Agent|Skills", "Ada Lind|Billing (3)", "Bo Berg|Tech (2)"))
    assert part(found, "agents").columns["agent_id"] == Copied("Agent")
    assert any("names are taken as ids" in each for each in taken_for(found, "staff.csv").assumptions)


def test_a_second_id_of_agents_matches_other_files() -> None:
    """A login beside the number of the staff; where all have an address, that is it."""
    logins = rows("staff.csv", "Personalnr|Login|Name", "7|alind|Lind, Ada", "8|bberg|Berg, Bo")
    agents = part(looked(logins), "agents")
    assert (agents.columns["agent_id"], agents.columns["email"]) == (Copied("Personalnr"), Copied("Login"))
    both = rows("staff.csv", "Personalnr|Login|Name|E-Mail", "7|alind|Lind, Ada|a@b.de", "8|bberg|Berg, Bo|b@b.de")
    assert part(looked(both), "agents").columns["email"] == Copied("E-Mail")
    # A name that several have is none.
    twice = rows("staff.csv", "Personalnr|Login|Name", "7|front|Lind, Ada", "8|front|Berg, Bo")
    assert "email" not in part(looked(twice), "agents").columns


def test_a_column_for_each_skill() -> None:
    """Levels or marks; languages apart; marks under a queue that no call needs as a skill are memberships."""
    levels = looked(rows("staff.csv", "ID|Name|Billing|Tech|Deutsch|English", "7|Lind, Ada|5||x|x", "8|Berg, Bo||3|x|"))
    agents = part(levels, "agents")
    assert agents.columns["skills"] == Spread(("Billing", "Tech"))
    assert agents.columns["languages"] == Spread(("Deutsch", "English"))
    queues = rows("queues.csv", "Queue|SLA", "Billing|80/20", "Tech|80/20")
    marks = rows("staff.csv", "ID|Name|Billing|Tech", "7|Lind, Ada|x|", "8|Berg, Bo|x|x")
    assert part(looked(marks, queues), "agents").columns["queues"] == Spread(("Billing", "Tech"))
    needed = rows(
        "log.csv",
        "Start|Queue|Skills|Agent|Wait|Result|Call ID",
        "2026-04-13 08:00:00|Billing|Billing|Ada Lind|3|answered|1",
        "2026-04-14 08:00:00|Tech|Tech|Bo Berg|3|answered|2",
    )
    assert part(looked(marks, queues, needed), "agents").columns["skills"] == Spread(("Billing", "Tech"))


def test_levels_of_another_scale_are_asked_about() -> None:
    """What runs to 9 is no scale of 5."""
    staff = rows("staff.csv", "ID|Name|Skills", "7|Lind, Ada|Billing (9)", "8|Berg, Bo|Billing (4), Tech (2)")
    found = looked(staff)
    assert keys(found) == ["agents.units.skills"] and found.questions[0].likely == "0-10"
    answered = looked(staff, answers={"agents.units.skills": "0-10"})
    assert keys(answered) == [] and part(answered, "agents").units == {"skills": "0-10"}


def test_goals_of_queues_in_one_column_or_two() -> None:
    """A share in per cent beside seconds is the goal as well."""
    one = looked(rows("q.csv", "Warteschlange|Servicelevel", "A|80/20", "B|90/30"))
    assert part(one, "queues").columns["service_level"] == Copied("Servicelevel")
    two = looked(rows("q.csv", "Queue|SL Target|Threshold (sec)|Evaluation", "A|80 %|20|Best", "B|90 %|30|All"))
    assert part(two, "queues").columns["service_level_share"] == Copied("SL Target")
    assert part(two, "queues").columns["service_level_s"] == Copied("Threshold (sec)")


def test_members_are_pairs() -> None:
    """A queue and an agent in each row."""
    found = looked(rows("m.csv", "Queue|Agent|Ring", "A|7|1", "A|8|2", "B|7|1"), AGENTS)
    assert part(found, "members").columns == {
        "queue_id": Copied("Queue"),
        "agent_id": Copied("Agent"),
        "ring": Copied("Ring"),
    }


def test_a_plan_with_agents_across() -> None:
    """Days run down; every other column is an agent, one who is off on all days too."""
    plan = rows("plan.csv", "Datum|Lind, Ada|Berg, Bo", "13.04.2026|8-16:30|frei", "14.04.2026|9-17|frei")
    found = looked(LOG, AGENTS, plan)
    assert taken_for(found, "plan.csv").table == "shifts"
    assert part(found, "shifts").columns == {"date": Copied("Datum")}
    assert part(found, "shifts").unused == ()


@pytest.mark.parametrize(
    "days", [("Mo 13.04.", "Di 14.04."), ("2026-04-13", "2026-04-14"), ("13-Apr", "14-Apr"), ("4/13/2026", "4/14/2026")]
)
def test_headers_that_are_days(days: tuple[str, str]) -> None:
    """With weekdays, without years, in any order."""
    found = looked(
        LOG,
        AGENTS,
        rows("plan.csv", f"Agent|Team|{'|'.join(days)}", "Lind, Ada|N|8-16:30|frei", "Berg, Bo|N|frei|9-17"),
    )
    assert taken_for(found, "plan.csv").table == "shifts"
    assert part(found, "shifts").columns == {"agent_id": Copied("Agent")}


def test_codes_of_a_plan_are_those_of_its_legend() -> None:
    """A legend of spans, or of starts and ends; a word for a day off needs none; what nobody says is asked."""
    plan = rows("plan.xlsx#March", "Agent|13.04.2026|14.04.2026", "Lind, Ada|F|Q", "Berg, Bo|S|krank")
    spans = rows("plan.xlsx#Legende", "Kürzel|Zeit", "F|06:00-14:00", "S|14:00-22:00")
    found = looked(AGENTS, plan, spans)
    assert taken_for(found, "plan.xlsx#Legende").table == "legend"
    assert keys(found) == ["shifts.values.cells.Q"]
    assert part(found, "shifts").values["cells"] == {"F": "06:00-14:00", "S": "14:00-22:00", "Q": ""}
    sides = rows("legend.csv", "Code|Beginn|Ende", "F|06:00:00|14:00:00", "S|14:00|22:00")
    answered = looked(AGENTS, plan, sides, answers={"shifts.values.cells.Q": "10:00-18:00"})
    assert keys(answered) == []
    assert part(answered, "shifts").values["cells"] == {"F": "06:00-14:00", "S": "14:00-22:00", "Q": "10:00-18:00"}


def test_shifts_as_rows() -> None:
    """Start and end as clock times of a day, with the break between two others; or a span; or whole time stamps."""
    clocks = looked(
        AGENTS,
        rows(
            "p.csv",
            "Agente|Fecha|Inicio|Salida|Inicio descanso|Fin descanso",
            "7|13/04/2026|08:00|16:30|12:00|12:30",
            "8|14/04/2026|09:00|17:30|12:00|12:30",
        ),
    )
    staffing = part(clocks, "staffing")
    assert staffing.columns["start_at"] == Joined("Fecha", "Inicio") and staffing.columns["end_at"] == Joined(
        "Fecha", "Salida"
    )
    assert staffing.columns["breaks"] == Between("Inicio descanso", "Fin descanso")
    spans = looked(
        AGENTS, rows("p.csv", "Agent|Datum|Schicht", "Lind, Ada|13.04.2026|8-16:30", "Berg, Bo|14.04.2026|9-17")
    )
    assert part(spans, "staffing").columns == {
        "agent_id": Copied("Agent"),
        "date": Copied("Datum"),
        "span": Copied("Schicht"),
    }
    stamps = looked(
        AGENTS,
        rows("p.csv", "Agent|Start|End", "7|2026-04-13 08:00|2026-04-13 16:00", "8|2026-04-13 08:00|2026-04-13 16:00"),
    )
    assert part(stamps, "staffing").columns["end_at"] == Copied("End")


def test_shifts_are_told_without_their_names() -> None:
    """A column of agents, one of days, two of clock times."""
    found = looked(
        AGENTS, rows("x.csv", "A|B|C|D", "Lind, Ada|13.04.2026|08:00|16:30", "Berg, Bo|14.04.2026|09:00|17:30")
    )
    staffing = part(found, "staffing")
    assert (staffing.columns["start_at"], staffing.columns["end_at"]) == (Joined("B", "C"), Joined("B", "D"))


def test_activities_of_a_schedule() -> None:
    """What counts as on queue and what is a break; an unknown one is asked about."""
    found = looked(
        AGENTS,
        rows(
            "p.csv",
            "Agent|Code|Start|End",
            "7|Telefonie|2026-04-13 08:00|2026-04-13 12:00",
            "7|Pause|2026-04-13 12:00|2026-04-13 12:30",
            "7|Telefonie|2026-04-13 12:30|2026-04-13 16:00",
            "8|Telefonie|2026-04-13 08:00|2026-04-13 12:00",
            "8|Pause|2026-04-13 12:00|2026-04-13 12:30",
            "8|Qi Gong|2026-04-13 12:30|2026-04-13 16:00",
        ),
    )
    staffing = part(found, "staffing")
    assert staffing.columns["activity"] == Copied("Code")
    assert staffing.values["activity"] == {"Telefonie": "on_queue", "Pause": "break", "Qi Gong": "away"}


def test_a_plan_of_other_weeks_is_asked_about() -> None:
    """Its days are none of the log's."""
    found = looked(LOG, AGENTS, rows("plan.csv", "Agent|13.09.2025|14.09.2025", "Lind, Ada|8-16|frei"))
    assert keys(found) == ["files.plan.csv"]
    assert "2025-09-13 to 2025-09-14" in found.questions[0].text and found.questions[0].likely == "none"
    out = looked(
        LOG,
        AGENTS,
        rows("plan.csv", "Agent|13.09.2025|14.09.2025", "Lind, Ada|8-16|frei"),
        answers={"files.plan.csv": "none"},
    )
    assert keys(out) == [] and [each.table for each in out.profile.parts] == ["interactions", "agents", "none"]


def test_surveys_need_their_scale() -> None:
    """Asked with what the scores speak for; columns may say it."""
    survey = rows(
        "umfrage.csv",
        "Datum|Agent|Zufriedenheit|Conversation-ID",
        "13.04.2026|Lind, Ada|5|1",
        "14.04.2026|Berg, Bo|2|2",
    )
    found = looked(AGENTS, survey)
    assert keys(found) == ["surveys.csat_scale"] and found.questions[0].likely == "1-5"
    answered = looked(AGENTS, survey, answers={"surveys.csat_scale": "1-6"})
    assert part(answered, "surveys").columns["scale_max"] == Same("6")


def test_volumes_by_half_hour() -> None:
    """A date and an interval; averages of handling."""
    found = looked(
        rows(
            "v.csv",
            "Datum|Intervall|Warteschlange|Angeboten|Angenommen|AHT",
            "13.04.2026|08:00-08:30|A|31|29|00:05:12",
            "13.04.2026|08:30-09:00|A|36|33|00:05:20",
        )
    )
    volumes = part(found, "volumes")
    assert volumes.columns["start_at"] == Joined("Datum", "Intervall")
    assert volumes.columns["handle_s"] == Copied("AHT") and volumes.columns["offered"] == Copied("Angeboten")


def test_names_that_come_near_an_agent_are_asked_about() -> None:
    """The answer is kept as the agent's id; whom nobody knows is counted."""
    log = rows(
        "log.csv",
        "Start|Queue|Agent|Wait|Result|Call ID",
        "2026-04-13 08:00:00|A|Lindt, Ada|3|answered|1",
        "2026-04-13 08:01:00|A|Berg, Bo|3|answered|2",
        "2026-04-13 08:02:00|A|Otto, Uwe|3|answered|3",
    )
    found = looked(log, AGENTS)
    assert keys(found) == ["people.Lindt, Ada"]
    assert found.questions[0].choices == ("Lind, Ada", "nobody of them")
    assert taken_for(found, "log.csv").problems["rows that name an agent whom no list has"] == 1
    answered = looked(log, AGENTS, answers={"people.Lindt, Ada": "Lind, Ada"})
    assert keys(answered) == [] and answered.profile.people == {"Lindt, Ada": "7"}


def test_a_file_that_is_nothing_is_asked_about() -> None:
    """The answer makes it a table, or leaves it out this month and the next."""
    odd = rows("odd.csv", "alpha|beta", "Kiel|7.1", "Bonn|9.3")
    found = looked(odd)
    assert keys(found) == ["files.odd.csv"] and found.questions[0].likely == "none"
    out = looked(odd, answers={"files.odd.csv": "none"})
    assert keys(out) == [] and [(each.table, each.files) for each in out.profile.parts] == [("none", ("odd.csv",))]
    again = inspect([odd], profile=out.profile)
    assert keys(again) == [] and taken_for(again, "odd.csv").table is None
    with pytest.raises(InvalidScenario, match="did you mean 'queues'"):
        looked(odd, answers={"files.odd.csv": "queue"})


def test_the_end_is_the_start_and_the_duration() -> None:
    """Of a schedule that has no end."""
    found = looked(
        AGENTS,
        rows("schedule.csv", "Agent|Start|Duration", "7|2026-04-13 08:00|08:00:00", "8|2026-04-13 09:00|07:30:00"),
    )
    assert part(found, "staffing").columns["end_at"] == Shifted("Start", plus=("Duration",))


def test_people_are_no_queues() -> None:
    """A list of names alone speaks for no queue; weekdays make a plan."""
    plan = rows("plan.csv", "Mitarbeiter|Mo|Di|Mi|Do|Fr|Sa|So", "Lind, Ada|8-16|8-16|8-16|8-16|8-14|frei|frei")
    assert taken_for(looked(plan), "plan.csv").table == "shifts"
    assert taken_for(looked(AGENTS), "agents.csv").table == "agents"


def test_a_second_column_of_skills_is_told() -> None:
    """One is read; nothing is left out in silence."""
    found = looked(rows("ma.csv", "MA-Nr|MA|Skill 1|Skill 2", "1001|Ada Lind|SAP|HR", "1002|Bo Berg|HR|"))
    assert taken_for(found, "ma.csv").table == "agents"
    assert any("Skill 2 is not read" in each for each in taken_for(found, "ma.csv").assumptions)


def test_a_plan_of_one_day() -> None:
    """Across or down, its cells tell it."""
    across = rows("plan.csv", "Agent|2026-04-13", "Lind, Ada|08:00-16:30", "Berg, Bo|frei")
    assert taken_for(looked(LOG, AGENTS, across), "plan.csv").table == "shifts"
    down = rows("plan.csv", "Datum|Lind, Ada|Berg, Bo", "13.04.2026|08:00-16:30|09:00-17:00")
    assert part(looked(LOG, AGENTS, down), "shifts").columns == {"date": Copied("Datum")}


def test_a_column_of_lists_of_queues() -> None:
    """Whatever it is called: its names are all queues of the log."""
    staff = rows("staff.csv", "ID|Name|Einsatz", "7|Lind, Ada|Billing, Tech", "8|Berg, Bo|Tech")
    assert part(looked(LOG, staff), "agents").columns["queues"] == Copied("Einsatz")
