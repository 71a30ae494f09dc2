"""Makes `data/sample/stadtwerke.xlsx`: a made-up centre as a German workbook, played by standard routing.

`python data/sample/stadtwerke.py [FILE]`; the same file each time. Calls, skills and shifts are drawn from a seed, who
answers and who hangs up comes from a replay, so the record is one that a replay of today's rule can meet.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import xlsxwriter

import routelab

ZONE = ZoneInfo("Europe/Berlin")
FIRST, DAYS, SEED = date(2026, 3, 2), 13, 7
# Queue: goal, share of the calls, mean handling time [s].
QUEUES = {
    "Rechnung": ("80/20", 0.42, 620), "Zählerstand": ("80/30", 0.30, 380), "Störung": ("90/20", 0.16, 720),
    "Umzug": ("70/60", 0.12, 800),
}  # fmt: skip
NAMES = (
    "Albers, Jörg", "Bäcker, Sofia", "Çelik, Deniz", "Dörr, Hanna", "Engel, Paul", "Fuchs, Lena", "Groß, Matthias",
    "Heß, Ulrike", "İnan, Selin", "Jahn, Oskar", "Kühn, Petra", "Löwe, Tobias", "Müller, Änne", "Nowak, Kasia",
)  # fmt: skip
EARLY, LATE, PART = "08:00-12:00, 12:30-16:30", "10:00-14:00, 14:30-18:30", "08:30-13:00"
OFF = ("frei", "Urlaub", "krank")
# Calls of a weekday by hour from 8 to 18, of one day in all.
BY_HOUR = np.array([24, 44, 50, 46, 34, 34, 38, 34, 26, 15, 6])
SATURDAY = 0.25
PATIENCE_S, LEAST_HANDLE_S = 150.0, 20


@dataclass(frozen=True)
class Made:
    """The made-up centre before it is a workbook.

    Parameters
    ----------
    agents, calls : polars.DataFrame
        As tables of routelab; calls with what became of them.
    plan : dict of str to list of str
        Cells of the shift plan by agent, a day each.
    """

    agents: pl.DataFrame
    calls: pl.DataFrame
    plan: dict[str, list[str]]


def made() -> Made:
    """Draw a centre and play it."""
    dice = np.random.default_rng(SEED)
    agents, plan, calls = _agents(dice), _plan(dice), _calls(dice)
    centre = routelab.read(
        agents=agents, interactions=calls, queues=[_queue(name) for name in QUEUES], staffing=staffing(plan),
        members=[
            {"queue_id": skill["name"], "agent_id": row["agent_id"]}
            for row in agents.to_dicts() for skill in row["skills"]
        ],
    )  # fmt: skip
    played = routelab.replay(centre, method="genesys").to_frame()
    told = played.select(
        "interaction_id", "wait_s", agent_id="selected_agent_id", status=pl.col("status").cast(pl.String)
    )
    calls = calls.drop("agent_id", "wait_s", "outcome").join(told, on="interaction_id", maintain_order="left")
    outcome = pl.col("status").replace({"unserved": "abandoned"}).alias("outcome")
    return Made(agents, calls.with_columns(outcome).drop("status"), plan)


def _agents(dice: np.random.Generator) -> pl.DataFrame:
    """Everybody has one queue well, most a second or third less so."""
    rows, names = [], list(QUEUES)
    for place, name in enumerate(NAMES):
        first = place % len(names) if place < 6 else int(dice.choice(4, p=[0.45, 0.3, 0.15, 0.1]))
        more = dice.permutation([each for each in range(4) if each != first])[: int(dice.integers(1, 4))]
        skills = [{"name": names[first], "proficiency": float(dice.integers(4, 6))}]
        skills += [{"name": names[each], "proficiency": float(dice.integers(1, 4))} for each in sorted(more)]
        rows.append({"agent_id": str(4711 + 13 * place), "agent_name": name, "skills": skills})
    return pl.DataFrame(rows)


def _plan(dice: np.random.Generator) -> dict[str, list[str]]:
    """Five days a week for most, and every second Saturday morning for some."""
    plan = {}
    for place, name in enumerate(NAMES):
        cells = []
        for day in range(DAYS):
            if day % 7 == 6:
                cells.append("")
            elif day % 7 == 5:
                cells.append(PART if (place + day) % 3 == 0 else OFF[0])
            elif dice.random() < 0.06:
                cells.append(OFF[1 + int(dice.integers(2))])
            else:
                cells.append(PART if place % 5 == 4 else EARLY if (place + day) % 2 else LATE)
        plan[name] = cells
    return plan


def staffing(plan: dict[str, list[str]]) -> pl.DataFrame:
    """When agents are on queue, by the cells of a plan."""
    ids = {name: str(4711 + 13 * place) for place, name in enumerate(NAMES)}
    rows = []
    for name, cells in plan.items():
        for day, cell in enumerate(cells):
            for span in cell.split(", ") if "-" in cell else ():
                start, end = (_at(day, 60 * int(time[:2]) + int(time[3:])) for time in span.split("-"))
                rows.append({"agent_id": ids[name], "start_at": start, "end_at": end})
    return pl.DataFrame(rows)


def _at(day: int, minute: float) -> datetime:
    """A whole second of the local calendar."""
    midnight = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=ZONE) + timedelta(days=day)
    return (midnight + timedelta(seconds=round(60 * minute))).astimezone(UTC)


def _queue(name: str) -> dict[str, object]:
    share, seconds = QUEUES[name][0].split("/")
    return {"queue_id": name, "service_level_share": float(share) / 100, "service_level_s": float(seconds)}


def _calls(dice: np.random.Generator) -> pl.DataFrame:
    """Calls with what nobody knows in advance: their handling time, and how long their customers are ready to wait."""
    rows = []
    shares = np.array([share for _, share, _ in QUEUES.values()])
    for day in range(DAYS):
        if day % 7 == 6:
            continue
        means = BY_HOUR * (SATURDAY if day % 7 == 5 else 1.0) * dice.uniform(0.9, 1.1)
        for hour, n in enumerate(dice.poisson(means).tolist(), 8):
            last = 13 if day % 7 == 5 else 18.5
            minutes = [60 * hour + each for each in dice.uniform(0, 60, n) if 60 * hour + each < 60 * last]
            rows += [(_at(day, minute), list(QUEUES)[dice.choice(4, p=shares)]) for minute in minutes]
    rows.sort()
    handle_s = [max(LEAST_HANDLE_S, round(dice.gamma(2.5, QUEUES[queue][2] / 2.5))) for _, queue in rows]
    return pl.DataFrame(
        {
            "interaction_id": [f"V{100_000 + 7 * n}" for n in range(len(rows))],
            "queue_id": [queue for _, queue in rows], "arrived_at": [at for at, _ in rows],
            "skills": [[queue] for _, queue in rows], "handle_s": np.array(handle_s, float),
            "patience_s": np.ceil(dice.exponential(PATIENCE_S, len(rows))) + 5, "agent_id": None, "wait_s": None,
            "outcome": "unknown",
        },
        schema_overrides={"agent_id": pl.String, "wait_s": pl.Float64},
    )  # fmt: skip


def write(centre: Made, path: Path) -> None:
    """As somebody in Germany would export it: four sheets, titles above the headers, times and durations of Excel."""
    with xlsxwriter.Workbook(path) as book:
        # The same bytes whenever it is made.
        book.set_properties({"created": datetime(2026, 3, 16), "title": "Ein erfundenes Servicecenter"})
        formats = {
            "time": book.add_format({"num_format": "dd.mm.yyyy hh:mm:ss"}), "bold": book.add_format({"bold": True}),
            "long": book.add_format({"num_format": "[h]:mm:ss"}), "day": book.add_format({"num_format": "dd.mm.yyyy"}),
        }  # fmt: skip
        _sheet_of_calls(book.add_worksheet("Anrufe"), centre, formats)
        people = [[int(row["agent_id"]), row["agent_name"], _skills(row["skills"])] for row in centre.agents.to_dicts()]
        _sheet(book.add_worksheet("Agenten"), formats, ["Personalnr.", "Name", "Skills"], people)
        goals = [[name, goal] for name, (goal, _, _) in QUEUES.items()]
        _sheet(book.add_worksheet("Warteschlangen"), formats, ["Warteschlange", "Servicelevel-Ziel"], goals)
        days = [f"{FIRST + timedelta(days=day):%d.%m.%Y}" for day in range(DAYS)]
        rows = [[name, *cells] for name, cells in centre.plan.items()]
        _sheet(book.add_worksheet("Schichtplan"), formats, ["Mitarbeiter", *days], rows)


def _skills(held: list[dict]) -> str:
    """Names with their levels, as `Rechnung (4), Umzug (2)`."""
    return ", ".join(f"{skill['name']} ({skill['proficiency']:.0f})" for skill in held)


def _sheet_of_calls(sheet: xlsxwriter.worksheet.Worksheet, centre: Made, formats: dict) -> None:
    heads = [
        "Vorgang", "Eingang", "Warteschlange", "Kanal", "Rufnummer", "Mitarbeiter", "Ergebnis", "Wartezeit",
        "Bearbeitungszeit",
    ]  # fmt: skip
    names = dict(zip(centre.agents["agent_id"], centre.agents["agent_name"], strict=True))
    sheet.merge_range(
        0, 0, 0, len(heads) - 1, "Stadtwerke Musterstadt: Anrufe 02.03.2026 bis 14.03.2026", formats["bold"]
    )
    sheet.write_row(2, 0, heads, formats["bold"])
    sheet.set_column(1, 1, 19)
    sheet.set_column(2, len(heads) - 1, 15)
    for place, row in enumerate(centre.calls.to_dicts()):
        at, is_answered = 3 + place, row["outcome"] == "answered"
        sheet.write(at, 0, row["interaction_id"])
        sheet.write_datetime(at, 1, row["arrived_at"].astimezone(ZONE).replace(tzinfo=None), formats["time"])
        # A number that nobody has: 01555 is kept for films.
        phone = f"0155500{place % 9000 + 1000:04}"
        person = names[row["agent_id"]] if is_answered else ""
        sheet.write_row(
            at, 2, [row["queue_id"], "Sprachanruf", phone, person, "beantwortet" if is_answered else "aufgelegt"]
        )
        sheet.write_number(at, 7, row["wait_s"] / 86_400, formats["long"])
        sheet.write_number(at, 8, row["handle_s"] / 86_400 if is_answered else 0, formats["long"])


def _sheet(sheet: xlsxwriter.worksheet.Worksheet, formats: dict, heads: list[str], rows: list[list]) -> None:
    sheet.write_row(0, 0, heads, formats["bold"])
    for place, row in enumerate(rows, 1):
        sheet.write_row(place, 0, row)
    sheet.set_column(0, len(heads) - 1, 24)


if __name__ == "__main__":
    write(made(), Path(sys.argv[1] if len(sys.argv) > 1 else "data/sample/stadtwerke.xlsx"))
