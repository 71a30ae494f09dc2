"""Logs of other centres: which column is what, what is calculated, what is asked, in several languages and shapes."""

from __future__ import annotations

import datetime as dt

import pytest

from ingest.exports.inspection import inspect
from ingest.exports.inspection.found import Found
from ingest.exports.profile.profile import Between, Copied, Filled, Joined, Same, Shifted, Summed
from ingest.sheets.sheet import Sheet
from tests.exported_sheets import column, keys, part, rows, sheet, taken_for


def looked(*sheets: Sheet, **given: object) -> Found:
    """Inspected with the zone given, so that nothing else than what is tested is asked."""
    return inspect(sheets, time_zone="Europe/Berlin", **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "Date et heure|File d'attente|Canal|Conseiller|Résultat|Temps d'attente|DMT|Téléphone|Identifiant",
            "appel|répondu|abandonné",
        ),
        (
            "Fecha y hora|Cola|Medio|Agente|Resultado|Tiempo de espera|Tiempo de gestión|Teléfono|ID de llamada",
            "llamada|atendida|abandonada",
        ),
        (
            "Data e ora|Coda|Canale|Operatore|Esito|Tempo di attesa|Tempo di gestione|Telefono|ID chiamata",
            "chiamata|risposta|abbandonata",
        ),
        (
            "Datum/tijd|Wachtrij|Kanaal|Medewerker|Resultaat|Wachttijd|Afhandeltijd|Telefoonnummer|Gesprek-ID",
            "telefoon|beantwoord|opgehangen",
        ),
        (
            "Data i godzina|Kolejka|Kanał|Konsultant|Wynik|Czas oczekiwania|Czas obsługi|Telefon|ID rozmowy",
            "połączenie|odebrane|porzucone",
        ),
        (
            "Data e hora|Fila|Canal|Atendente|Status|Tempo de espera|Tempo de atendimento|Telefone|Protocolo",
            "chamada|atendida|abandonada",
        ),
        (
            "Datum/tid|Kö|Kanal|Handläggare|Utfall|Väntetid|Hanteringstid|Telefonnummer|Samtals-ID",
            "samtal|besvarat|tappat",
        ),
        ("Date/Time|Queue|Channel|Agent|Outcome|Wait Time|Handle Time|Caller ID|Call ID", "call|answered|abandoned"),
    ],
)
def test_logs_in_other_languages(header: str, words: str) -> None:
    """The same log, whatever its columns and words are called; nothing is asked."""
    voice, answered, abandoned = words.split("|")
    found = looked(
        rows(
            "log.csv",
            header,
            f"13.04.2026 08:00:00|A|{voice}|Ada Lind|{answered}|0:00:10|0:03:00|+49301234567|x1",
            f"13.04.2026 08:01:00|B|{voice}||{abandoned}|0:01:10|0:00:00|+49301234568|x2",
            f"14.04.2026 08:01:00|B|{voice}|Bo Berg|{answered}|0:00:05|0:02:00|+49301234569|x3",
        )
    )
    names = header.split("|")
    log = part(found, "interactions")
    ours = ("arrived_at", "queue_id", "media", "agent_id", "outcome", "wait_s", "handle_s")
    assert {name: log.columns[name] for name in ours} == {
        name: Copied(column) for name, column in zip(ours, names, strict=False)
    }
    assert log.values["outcome"] == {answered: "answered", abandoned: "abandoned"}
    assert log.values["media"] == {voice: "voice"}
    assert log.personal == (names[7],)
    assert {log.columns.get("interaction_id"), log.columns.get("conversation_id")} & {Copied(names[8])}
    assert keys(found) == []


def test_handling_is_the_sum_of_its_parts() -> None:
    """Where no column has all of it; units of headers count for each."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Talk (min)|Hold (min)|ACW (min)|Wait (min)",
            "2026-04-13 08:00:00|A|ada|3|0|0.5|0.2",
            "2026-04-13 08:05:00|A|bo|4|1|0.25|0.5",
        )
    )
    log = part(found, "interactions")
    assert log.columns["handle_s"] == Summed(("Talk (min)", "Hold (min)", "ACW (min)"))
    assert (log.units["handle_s"], log.units["acw_s"], log.units["wait_s"]) == ("min", "min", "min")
    assert log.columns["outcome"] == Same("answered")


def test_a_log_of_time_stamps_alone() -> None:
    """Waiting runs from arrival to answer, or to the end of who hung up; handling from answer to end."""
    found = looked(
        rows(
            "log.csv",
            "Call|Queued|Answered|Ended|Queue|Agent",
            "1|2026-04-13 08:00:00|2026-04-13 08:00:10|2026-04-13 08:03:00|A|ada",
            "2|2026-04-13 08:01:00||2026-04-13 08:02:00|A|",
        )
    )
    log = part(found, "interactions")
    assert log.columns["wait_s"] == Between("Queued", "Answered", "Ended")
    assert log.columns["handle_s"] == Between("Answered", "Ended")
    assert log.columns["outcome"] == Filled("Agent", "answered", "abandoned")
    assert any("no column tells the outcome" in each for each in taken_for(found, "log.csv").assumptions)


def test_time_stamps_are_told_by_their_order() -> None:
    """Names that say nothing: what only answered rows have is the answer, what comes last is the end."""
    found = looked(
        rows(
            "log.csv",
            "Nr|Queue|Agent|Start|T2|T3",
            "c1|A|ada|2026-04-13 08:00:00|2026-04-13 08:00:10|2026-04-13 08:03:00",
            "c2|A||2026-04-13 08:01:00||2026-04-13 08:02:00",
            "c3|A|bo|2026-04-13 08:02:00|2026-04-13 08:02:05|2026-04-13 08:04:00",
        )
    )
    assert part(found, "interactions").columns["wait_s"] == Between("Start", "T2", "T3")


def test_arrival_is_the_answer_less_the_wait() -> None:
    """Where only the time of the answer is there; the unit of the wait holds for what is taken off, too."""
    found = looked(
        rows(
            "log.csv",
            "Answered At|Wait (min)|Queue|Agent|Handle (min)|Result",
            "2026-04-13 08:00:00|1|A|ada|3|answered",
            "2026-04-13 08:05:00|2|A|bo|4|answered",
        )
    )
    log = part(found, "interactions")
    assert log.columns["arrived_at"] == Shifted("Answered At", less=("Wait (min)",))
    assert log.units["arrived_at"] == "min"


def test_date_and_clock_in_two_columns() -> None:
    """Joined; a whole time stamp beside them is measured from the arrival."""
    found = looked(
        rows(
            "log.csv",
            "Datum|Uhrzeit|Angenommen um|Ende|Hotline|Agent",
            "13.04.2026|08:00:00|13.04.2026 08:00:10|13.04.2026 08:03:00|A|ada",
            "14.04.2026|08:01:00||14.04.2026 08:02:00|A|",
        )
    )
    log = part(found, "interactions")
    assert log.columns["arrived_at"] == Joined("Datum", "Uhrzeit")
    assert log.columns["wait_s"] == Between("arrived_at", "Angenommen um", "Ende")


def test_the_whole_duration_holds_the_wait() -> None:
    """As long as the wait where nobody answered: handling is what is left."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Duration|Wait",
            "2026-04-13 08:00:00|A|ada|190|10",
            "2026-04-13 08:05:00|A||60|60",
            "2026-04-13 08:06:00|A|bo|260|20",
        )
    )
    assert part(found, "interactions").columns["handle_s"] == Summed(("Duration",), less=("Wait",))


def test_waits_of_answered_and_abandoned_in_two_columns() -> None:
    """No row has both: they are halves of one."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Wait Time|Time to Abandon|Handle Time",
            "2026-04-13 08:00:00|A|ada|10||180",
            "2026-04-13 08:05:00|A|||60|",
        )
    )
    assert part(found, "interactions").columns["wait_s"] == Summed(("Wait Time", "Time to Abandon"))


def test_two_columns_that_could_be_the_wait_are_asked_about() -> None:
    """Unless time stamps bear one of them out."""
    header, lines = (
        "Start|Queue|Agent|Wait Time|Queue Time|Handle Time|Call ID",
        (
            "2026-04-13 08:00:00|A|ada|10|40|180|1",
            "2026-04-13 08:05:00|A|bo|20|70|180|2",
        ),
    )
    found = looked(rows("log.csv", header, *lines))
    assert keys(found) == ["interactions.columns.wait_s"]
    assert found.questions[0].choices == ("Wait Time", "Queue Time")
    assert "Queue Time (on average 55 s)" in found.questions[0].text
    answered = looked(rows("log.csv", header, *lines), answers={"interactions.columns.wait_s": "queue time"})
    assert keys(answered) == [] and part(answered, "interactions").columns["wait_s"] == Copied("Queue Time")
    stamped = looked(
        rows(
            "log.csv",
            header + "|Answered At",
            lines[0] + "|2026-04-13 08:00:40",
            lines[1] + "|2026-04-13 08:06:10",
        )
    )
    assert keys(stamped) == [] and part(stamped, "interactions").columns["wait_s"] == Copied("Queue Time")


def test_hold_is_never_the_wait() -> None:
    """Whatever stands first."""
    found = looked(
        rows(
            "log.csv",
            "Start|Hold Time|Queue|Agent|Waiting Time|Talk Time|Call ID",
            "2026-04-13 08:00:00|40|A|ada|10|180|1",
            "2026-04-13 08:05:00|70|A|bo|20|180|2",
        )
    )
    assert keys(found) == []
    assert part(found, "interactions").columns["wait_s"] == Copied("Waiting Time")


def test_an_unknown_outcome_with_weight_is_asked_about() -> None:
    """With what the agents say; a light one is counted and unknown."""
    lines = [
        f"2026-04-13 08:00:0{n % 10}|A|{'ada' if n % 2 else ''}|{'answered' if n % 2 else 'bsy'}|{n}|c{n}"
        for n in range(1, 101)
    ]
    lines.append("2026-04-13 09:00:00|A|ada|zzz|3|c900")
    found = looked(rows("log.csv", "Start|Queue|Agent|Outcome|Wait|Call ID", *lines))
    assert keys(found) == ["interactions.values.outcome.bsy"]
    (question,) = found.questions
    assert question.likely == "abandoned" and "50 of 101 rows, 0% of which name an agent" in question.text
    log = part(found, "interactions")
    assert log.values["outcome"] == {"answered": "answered", "bsy": "abandoned", "zzz": "unknown"}
    assert taken_for(found, "log.csv").problems["rows whose Outcome is an unknown word such as 'zzz'"] == 1


def test_what_an_agent_notes_is_no_outcome() -> None:
    """Dispositions that only answered rows have; a mark of abandonment tells it."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Disposition|Abandoned|Wait|Call ID",
            "2026-04-13 08:00:00|A|ada|Resolved|0|3|1",
            "2026-04-13 08:01:00|A|||1|30|2",
            "2026-04-13 08:02:00|A|bo|Follow-up|0|3|3",
        )
    )
    log = part(found, "interactions")
    assert log.columns["outcome"] == Copied("Abandoned")
    assert log.values["outcome"] == {"0": "answered", "1": "abandoned"}


def test_a_transferred_call_with_an_agent_was_answered() -> None:
    """Without one it flowed out."""
    head = "Start|Queue|Agent|Result|Wait|Call ID"
    by_agent = [f"2026-04-13 08:0{n}:00|A|ada|transferred|3|t{n}" for n in range(5)]
    lost = ["2026-04-13 09:00:00|A||abandoned|3|x"]
    assert (
        part(looked(rows("a.csv", head, *by_agent, *lost)), "interactions").values["outcome"]["transferred"]
        == "answered"
    )
    nobody = [line.replace("ada", "") for line in by_agent]
    with_agent = ["2026-04-13 09:00:00|A|ada|answered|3|x", "2026-04-13 09:00:00|A||abandoned|3|y"]
    assert (
        part(looked(rows("a.csv", head, *nobody, *with_agent)), "interactions").values["outcome"]["transferred"]
        == "flowed_out"
    )


def test_outbound_rows_are_left_out() -> None:
    """And it is said how many."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Direction|Wait|Result|Call ID",
            "2026-04-13 08:00:00|A|ada|Inbound|3|answered|1",
            "2026-04-13 08:01:00||ada|Outbound|0|answered|2",
        )
    )
    assert part(found, "interactions").only == {"Direction": ("Inbound",)}
    assert any(
        "1 rows are left out because Direction is Outbound" in each for each in taken_for(found, "log.csv").assumptions
    )


def test_rows_of_one_conversation() -> None:
    """In the same queue they are parts of one visit, in others further visits."""
    head = "Start|Queue|Agent|Wait|Handle|Conversation ID"
    parts = looked(
        rows(
            "log.csv",
            head,
            "2026-04-13 08:00:00|A|ada|3|100|1",
            "2026-04-13 08:02:00|A|bo|0|50|1",
            "2026-04-13 08:03:00|A|bo|1|50|2",
        )
    )
    assert part(parts, "interactions").rows == "segment"
    visits = looked(
        rows(
            "log.csv",
            head,
            "2026-04-13 08:00:00|A|ada|3|100|1",
            "2026-04-13 08:02:00|B|bo|0|50|1",
            "2026-04-13 08:03:00|A|bo|1|50|2",
        )
    )
    log = part(visits, "interactions")
    assert log.rows == "visit" and log.columns["conversation_id"] == Copied("Conversation ID")
    assert "interaction_id" not in log.columns


def test_dates_that_nothing_settles_are_asked_about() -> None:
    """A day above 12 settles them, another file does, or the option; dots are never month first."""
    head = "Start|Queue|Agent|Wait|Result|Call ID"
    open_log = rows("log.csv", head, "03/04/2026 08:00:00|A|ada|3|answered|1", "05/04/2026 08:00:00|A|ada|3|answered|2")
    found = looked(open_log)
    assert keys(found) == ["dates"]
    assert found.questions[0].choices == ("dmy", "mdy") and "03/04/2026" in found.questions[0].text
    assert part(looked(open_log, dates="mdy"), "interactions").dates == "mdy"
    assert part(looked(open_log, answers={"dates": "dmy"}), "interactions").dates == "dmy"
    settled = rows("log.csv", head, "04/03/2026 08:00:00|A|ada|3|answered|1", "04/13/2026 08:00:00|A|ada|3|answered|2")
    assert part(looked(settled), "interactions").dates == "mdy"
    plan = rows("plan.csv", "Agent|04/13/2026|04/14/2026", "ada|8-16|off")
    assert part(looked(open_log, plan), "interactions").dates == "mdy"
    dotted = rows("log.csv", head, "03.04.2026 08:00:00|A|ada|3|answered|1")
    assert keys(looked(dotted)) == [] and part(looked(dotted), "interactions").dates == "dmy"


def test_the_zone_is_asked_once_and_only_where_times_name_none() -> None:
    """`Z` and offsets say it."""
    head = "Start|Queue|Agent|Wait|Result|Call ID"
    zoned = rows("log.csv", head, "2026-04-13T08:00:00Z|A|ada|3|answered|1")
    wall = rows("log.csv", head, "2026-04-13T08:00:00|A|ada|3|answered|1")
    assert keys(inspect([zoned])) == []
    assert keys(inspect([wall])) == ["time_zone"]
    answered = inspect([wall], answers={"time_zone": "Europe/Paris"})
    assert keys(answered) == [] and answered.profile.time_zone == "Europe/Paris"
    given = inspect([wall], time_zone="Europe/Madrid")
    assert keys(given) == [] and given.profile.time_zone == "Europe/Madrid"


def test_cells_of_workbooks_keep_their_types() -> None:
    """Times, durations, numbers and days of a workbook; fractions of a day say so in the profile."""
    day = dt.datetime(2026, 4, 13, 8)
    found = looked(
        sheet(
            "log.xlsx",
            {
                "Start": [day, day + dt.timedelta(minutes=1)],
                "Queue": ["A", "B"],
                "Agent": ["ada", None],
                "Wait": [dt.timedelta(seconds=10), dt.timedelta(seconds=70)],
                "Handle": [0.00240602139879227, 0.0],
                "Result": ["answered", "abandoned"],
                "Call": [1001, 1002],
            },
        )
    )
    log = part(found, "interactions")
    assert log.columns["wait_s"] == Copied("Wait") and log.units == {"handle_s": "days"}
    assert column(found, "log.xlsx", "Wait").samples[0] == "00:00:10"
    assert keys(found) == []


def test_what_belongs_to_customers_is_told_by_name_and_by_cells() -> None:
    """Numbers, addresses, names that no agent has, free text: none is read, and samples show shapes only."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Wait|Result|Call ID|X1|X2|Kundenname|Bemerkung",
            "2026-04-13 08:00|A|Ada Lind|3|answered|1|+4930555142|eva@example.org|Eva Ort|ruft wegen Rechnung noch an",
            "2026-04-13 08:01|A|Bo Berg|3|answered|2|+4930555143|jan@example.org|Jan See|hat gedankt, will Rückruf",
        ),
        rows("agents.csv", "ID|Name", "7|Ada Lind", "8|Bo Berg"),
    )
    log = part(found, "interactions")
    assert set(log.personal) == {"X1", "X2", "Kundenname", "Bemerkung"}
    shown = "".join(text for name in log.personal for text in column(found, "log.csv", name).samples)
    assert "Eva" not in shown and "example" not in shown and "555142" not in shown


def test_a_sick_time_column_does_not_change_what_a_file_is() -> None:
    """Half its dates are day first, half month first: it stays a log, and the cells are refused with their rows."""
    found = looked(
        rows(
            "log.csv",
            "Datum/Uhrzeit|Warteschlange|Mitarbeiter|Ergebnis|Wartezeit|Vorgangsnummer",
            "13.04.2026 08:00:00|A|ada|beantwortet|3|1",
            "04/14/2026 08:00:00|A|bo|beantwortet|3|2",
            "15.04.2026 08:00:00|A|ada|beantwortet|3|3",
            "04/16/2026 08:00:00|A||aufgelegt|3|4",
        )
    )
    assert taken_for(found, "log.csv").table == "interactions"
    assert part(found, "interactions").columns["arrived_at"] == Copied("Datum/Uhrzeit")


def test_problems_are_counted() -> None:
    """Rows without a queue, answers without an agent, cells that are no duration, rows that stand there twice."""
    found = looked(
        rows(
            "log.csv",
            "Start|Queue|Agent|Result|Wait|Handle",
            "2026-04-13 08:00:00|A|ada|answered|3|100",
            "2026-04-13 08:00:00|A|ada|answered|3|100",
            "2026-04-13 08:01:00||ada|answered|3|100",
            "2026-04-13 08:02:00|A||answered|3|100",
            "2026-04-13 08:03:00|A||abandoned|lang|0",
            "2026-04-13 08:04:00|A||abandoned|4|0",
            "2026-04-13 08:05:00|A||abandoned|4|0",
        )
    )
    assert taken_for(found, "log.csv").problems == {
        "rows without a queue": 1,
        "answered rows without an agent": 1,
        "cells of Wait that are no duration": 1,
        "rows that stand there twice, alike in every column": 1,
    }


def test_the_same_export_twice_counts_once() -> None:
    """The second is left out, and it is said."""
    head, line = "Start|Queue|Agent|Wait|Result|Call ID", "2026-04-13 08:00:00|A|ada|3|answered|1"
    found = looked(rows("a.csv", head, line), rows("b.xlsx", head, line))
    assert [each.table for each in found.sheets] == ["interactions", None]
    assert "b.xlsx holds the same interactions and is left out" in taken_for(found, "a.csv").assumptions


def test_marks_of_an_empty_cell_are_no_agents() -> None:
    """`-` and `n/a` stand for nobody."""
    found = looked(
        rows(
            "log.csv",
            "Datum/Uhrzeit|Warteschlange|Agent|Wartezeit|Bearbeitungszeit|Vorgang",
            "13.04.2026 08:00:00|A|Lind, Ada|0:00:10|0:03:00|1",
            "13.04.2026 08:01:00|A|-|0:00:40|0:00:00|2",
            "13.04.2026 08:02:00|A|n/a|0:00:40|0:00:00|3",
        )
    )
    assert part(found, "interactions").columns["outcome"] == Filled("Agent", "answered", "abandoned")


def test_a_queue_is_what_the_list_of_queues_calls_so() -> None:
    """Of two columns that could be it; alone, what one product calls a skill is the queue."""
    log = rows(
        "log.csv",
        "Start|Dienst|Skill|Agent|Wait|Result|Call ID",
        "2026-04-13 08:00:00|A|S1|ada|3|answered|1",
        "2026-04-13 08:01:00|B|S2|ada|3|answered|2",
    )
    listed = looked(log, rows("dienste.csv", "Dienst|SLA", "A|80/20", "B|90/30"))
    assert part(listed, "interactions").columns["queue_id"] == Copied("Dienst")
    alone = rows("log.csv", "Start|Skill|Agent|Wait|Result|Call ID", "2026-04-13 08:00:00|S1|ada|3|answered|1")
    assert part(looked(alone), "interactions").columns["queue_id"] == Copied("Skill")


def test_talk_that_has_hold_in_it_is_not_counted_twice() -> None:
    """It is as long as from answer to end where somebody was on hold."""
    found = looked(
        rows(
            "log.csv",
            "Start|Answered|Ended|Queue|Agent|Talk|Hold|ACW",
            "2026-04-13 08:00:00|2026-04-13 08:00:10|2026-04-13 08:03:10|A|ada|180|30|20",
            "2026-04-13 08:05:00|2026-04-13 08:05:05|2026-04-13 08:06:05|A|ada|60|10|20",
        )
    )
    assert part(found, "interactions").columns["handle_s"] == Summed(("Talk", "ACW"))


def test_parts_of_conversations_with_start_and_end_alone() -> None:
    """Each lasts from one to the other: waiting where nobody is named, handling where an agent is."""
    found = looked(
        rows(
            "segments.csv",
            "Konversations-ID|Segment|Beginn|Ende|Warteschlange|Mitarbeiter",
            "1|Warteschlange|13.04.2026 08:00:00|13.04.2026 08:00:10|A|",
            "1|Gespräch|13.04.2026 08:00:10|13.04.2026 08:03:10|A|Lind, Ada",
            "2|Warteschlange|13.04.2026 08:01:00|13.04.2026 08:02:00|A|",
        )
    )
    log = part(found, "interactions")
    assert log.rows == "segment" and log.columns["handle_s"] == Between("Beginn", "Ende")
    assert "wait_s" not in log.columns
