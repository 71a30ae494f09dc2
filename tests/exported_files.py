"""A made-up centre's exports in any style: words, dates, durations, names, plans, files."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.exported_centre import LANGUAGES, SHIFTS, Agent, Centre, Shift, Visit
from tests.exported_words import LANGUAGE_OF, VOCABULARIES, WEEKDAYS, words_of
from tests.workbooks import Percent, write_workbook

ZONES = {
    "de": "Europe/Berlin", "en": "America/Chicago", "fr": "Europe/Paris", "es": "Europe/Madrid", "it": "Europe/Rome",
    "nl": "Europe/Amsterdam", "pl": "Europe/Warsaw",
}  # fmt: skip
# Of a time: how it is written, and the order of its date where a reader may doubt it.
DATES = {
    "dmy.": ("%d.%m.%Y %H:%M:%S", "dmy"), "dmy. short": ("%d.%m.%y %H:%M:%S", "dmy"),
    "dmy. minutes": ("%d.%m.%Y %H:%M", "dmy"),
    "dmy/": ("%d/%m/%Y %H:%M:%S", "dmy"), "dmy-": ("%d-%m-%Y %H:%M:%S", "dmy"), "dmy/ minutes": ("%d/%m/%Y %H:%M",
    "dmy"),
    "mdy/ am": ("%m/%d/%Y %I:%M:%S %p", "mdy"), "mdy/": ("%m/%d/%Y %H:%M:%S", "mdy"),
    "mdy/ short am": ("%m/%d/%y %I:%M %p", "mdy"),
    "ymd": ("%Y-%m-%d %H:%M:%S", ""), "ymd/": ("%Y/%m/%d %H:%M:%S", ""), "iso": ("%Y-%m-%dT%H:%M:%S", ""),
    "iso z": ("%Y-%m-%dT%H:%M:%SZ", ""), "iso offset": ("%Y-%m-%dT%H:%M:%S%z", ""),
    "iso ms z": ("%Y-%m-%dT%H:%M:%S.000Z", ""),
    "month": ("%d %b %Y %H:%M:%S", ""), "month am": ("%b %d, %Y %I:%M:%S %p", ""),
    "epoch": ("", ""), "epoch ms": ("", ""), "serial": ("", ""),
}  # fmt: skip
SPANS = ("%H:%M-%H:%M", "%h-%h", "%H:%M – %H:%M", "%H%M-%H%M", "%h.%M - %h.%M", "%h:%M bis %h:%M", "%p-%p")


@dataclass(frozen=True)
class Style:
    """How a centre's files are written."""

    vocabulary: str = "de"
    seed: int = 0
    shuffled: bool = True
    extra: bool = True
    form: str = "csv"  # csv, gz, months (csv files in a folder), xlsx, book (one workbook)
    delimiter: str = ";"
    encoding: str = "utf-8"
    typed: bool = True  # In workbooks: cells are times, durations and numbers, not texts
    dates: str = "dmy."
    split_dates: bool = False
    durations: str = "h:mm:ss"  # s, ms, min, m:ss, h:mm:ss, fraction, iso, words
    comma: bool = True
    log_agent: str = "name"  # id, name, last (`Last, First`), email
    plan_agent: str = "name"
    skills: str = "(n)"  # (n), :n, plain, columns, marks, queues (members, without skills)
    separator: str = ", "
    plan: str = "grid"  # grid, days down, rows, activities, none
    cell: str = SPANS[0]  # Or `code`
    days: str = "whole"  # Of a plan with days across: whole dates, short (`02.03.`), weekday (`Mo 02.03.`)
    broken: bool = True  # Breaks are in the plan
    wait: str = "given"  # given, stamps (arrival and answer), backwards (answer less wait)
    handle: str = "total"  # total, parts, end (answer and end stamps)
    outcome: str = "words"  # words, presence, flags
    queues: bool = True
    title: bool = False
    total: bool = False
    ids: bool = True

    @property
    def zone(self) -> str:
        """IANA zone of the country."""
        return ZONES[LANGUAGE_OF.get(self.vocabulary, self.vocabulary)]

    @property
    def order(self) -> str:
        """Order of day, month and year, where a date of this style may be doubted."""
        return DATES[self.dates][1]


@dataclass(frozen=True)
class Written:
    """The files of a centre in a style."""

    files: list[Path]
    tables: dict[str, Path]
    words: dict[str, str]


def random_style(seed: int) -> Style:
    """Any style whose parts go together."""
    rng = random.Random(seed)
    vocabulary = rng.choice(VOCABULARIES)
    language = LANGUAGE_OF.get(vocabulary, vocabulary)
    points = vocabulary not in LANGUAGE_OF
    orders = {"en-US": "mdy", "avaya": "mdy", "nice": "mdy", "cisco": "mdy"}
    wanted = (orders.get(vocabulary, "dmy"), "")
    dates = rng.choice(
        [name for name, (_, order) in DATES.items() if order in wanted and (language == "en" or "month" not in name)]
    )
    minutes = "minutes" in dates or "short am" in dates
    form = rng.choice(["csv", "csv", "csv", "gz", "months", "xlsx", "book"])
    style = Style(
        vocabulary, seed, extra=rng.random() < 0.7, form=form, delimiter=rng.choice(";;\t|" if points else ",,;\t"),
        encoding=rng.choice(["utf-8", "utf-8-sig", "utf-16"] + ([] if language == "pl" else ["cp1252"])),
        typed=rng.random() < 0.6,
        dates=dates, split_dates=not minutes and "iso" not in dates and dates[:5] not in ("epoch",
        "seria") and rng.random() < 0.3,
        durations=rng.choice(["s", "s", "h:mm:ss", "h:mm:ss", "m:ss", "fraction", "iso", "min", "ms", "words"]),
        comma=points,
        log_agent=rng.choice(["id", "name", "last", "email"]), plan_agent=rng.choice(["id", "name", "last", "email"]),
        skills=rng.choice(["(n)", ":n", "plain", "columns", "marks", "queues"]), separator=rng.choice([", ", "; ", ";",
        " | ", ","]),
        plan=rng.choice(["grid", "grid", "grid", "rows", "rows", "days down", "activities", "none"]),
        cell=rng.choice([*SPANS, "code", "code"]),
        wait="given" if minutes else rng.choice(["given", "given", "stamps", "backwards"]),
        handle=rng.choice(["total", "parts"] + ([] if minutes else ["end"])),
        outcome=rng.choice(["words", "words", "presence", "flags"]),
        days=rng.choice(["whole", "whole", "short", "weekday"]),
        queues=rng.random() < 0.8, title=rng.random() < 0.3, total=rng.random() < 0.3, ids=rng.random() < 0.8,
    )  # fmt: skip
    # An arrival is no more exact than the wait that it is reckoned from.
    return replace(style, wait="given") if style.durations == "min" and style.wait == "backwards" else style


def write(centre: Centre, style: Style, folder: Path) -> Written:
    """Write all files of a style into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pen = _Pen(centre, style)
    paths = _save(folder, style, pen.sheets())
    return Written(list(dict.fromkeys(paths.values())), paths, pen.w)


def sheets_of(centre: Centre, style: Style) -> dict[str, list[list[Any]]]:
    """The rows of all tables by the name of their sheet, for who writes them in a way of his own."""
    return dict(_Pen(centre, style).sheets().values())


def staffing(centre: Centre, style: Style) -> list[tuple[str, datetime, datetime]]:
    """The plan as its files say it: agent, start, end, touching spans apart."""
    blocks = [
        (shift.agent.id, centre.at(60 * start), centre.at(60 * end))
        for shift in centre.shifts
        for start, end in (shift.spans if style.broken else [(shift.spans[0][0], shift.spans[1][1])])
    ]
    return sorted(blocks)


class _Pen:
    """Writes cells of one style."""

    def __init__(self, centre: Centre, style: Style) -> None:
        self.centre, self.style, self.rng = centre, style, random.Random(style.seed)
        self.w = words_of(style.vocabulary, self.rng)
        # Typed cells are no texts; what has to be text in a workbook is decided by the style alone.
        self.typed = style.typed and style.form in ("xlsx", "book")

    def sheets(self) -> dict[str, tuple[str, list[list[Any]]]]:
        """Name and rows by table."""
        style, w = self.style, self.w
        tables = {"interactions": (w["report"], self.log()), "agents": ("Agents", self.people())}
        if style.queues:
            tables["queues"] = (w["queue"], self.queues())
        if style.plan != "none":
            tables["staffing"] = ("Plan", self.plan())
            if style.cell == "code" and style.plan in ("grid", "days down"):
                tables["legend"] = (w["legend"], self.legend())
        return {table: (name.replace("/", " ").replace(":", ""), rows) for table, (name, rows) in tables.items()}

    def moment(self, at: datetime | None) -> Any:
        if at is None:
            return None
        form, _ = DATES[self.style.dates]
        utc = at.replace(tzinfo=ZoneInfo(self.style.zone))
        if self.style.dates.startswith("epoch"):
            return int(utc.timestamp() * (1000 if "ms" in self.style.dates else 1))
        if form.endswith("Z"):
            return utc.astimezone(ZoneInfo("UTC")).strftime(form)
        if form.endswith("%z"):
            text = utc.strftime(form)
            return f"{text[:-2]}:{text[-2:]}"
        if self.typed:
            return at.replace(second=0) if "minutes" in self.style.dates or "short am" in self.style.dates else at
        if self.style.dates == "serial":
            return round((at - datetime(1899, 12, 30)) / timedelta(days=1), 10)
        return at.strftime(form)

    def day(self, at: date) -> Any:
        """A date alone, in the style of its times."""
        if self.typed:
            return at
        form = DATES[self.style.dates][0] or "%Y-%m-%d"
        return at.strftime(form.split("T")[0].split(" %H")[0].split(" %I")[0])

    def short_day(self, at: date) -> Any:
        """A day above a column of a plan, perhaps without its year."""
        if self.style.days == "whole":
            return self.day(at)
        form = {"mdy": "%m/%d", "dmy": "%d/%m" if "/" in self.style.dates else "%d.%m."}.get(self.style.order, "%d.%m.")
        weekday = WEEKDAYS[self.centre.language].split()[at.weekday()] + " " if self.style.days == "weekday" else ""
        return weekday + at.strftime(form)

    def clock(self, at: datetime | None) -> Any:
        if at is None or self.typed:
            return at and at.time()
        return at.strftime("%I:%M:%S %p" if "%p" in DATES[self.style.dates][0] else "%H:%M:%S")

    def duration(self, s: int | None) -> Any:
        if s is None:
            return None
        kind = self.style.durations
        if self.typed and kind in ("h:mm:ss", "fraction"):
            return timedelta(seconds=s) if kind == "h:mm:ss" else s / 86400
        texts = {
            "s": lambda: s, "ms": lambda: 1000 * s, "min": lambda: round(s / 60, 2),
            "m:ss": lambda: f"{s // 60}:{s % 60:02d}",
            "h:mm:ss": lambda: f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}", "fraction": lambda: round(s / 86400,
            10),
            "iso": lambda: f"PT{s // 60}M{s % 60}S" if s >= 60 else f"PT{s}S",
            "words": lambda: f"{s // 60}m {s % 60}s" if s >= 60 else f"{s}s",
        }  # fmt: skip
        return texts[kind]()

    def unit(self, header: str) -> str:
        """A header that says the unit of a number no reader could guess."""
        return header + {"ms": " (ms)", "min": " (min)"}.get(self.style.durations, "")

    def person(self, agent: Agent | None, how: str) -> Any:
        if agent is None:
            return None
        if how == "id":
            return int(agent.id) if self.typed else agent.id
        return {"name": f"{agent.first} {agent.last}", "last": f"{agent.last}, {agent.first}", "email": agent.email}[
            how
        ]

    def log(self) -> list[list[Any]]:
        """Interactions, one row each."""
        columns = self._log_columns()
        rows = [[cell(visit) for cell in columns.values()] for visit in self.centre.visits]
        return self._table(columns, rows, shuffled=self.style.shuffled, total=self.style.total)

    def _log_columns(self) -> dict[str, Any]:
        s, w, at = self.style, self.w, self.centre.at
        served = lambda v: v.outcome == "answered"  # noqa: E731
        answer = lambda v: at(v.arrived + v.wait) if served(v) else None  # noqa: E731
        end = lambda v: at(v.arrived + v.wait + v.handle * served(v))  # noqa: E731
        columns: dict[str, Any] = {}
        if s.wait == "backwards":
            # Answer or end of waiting, which is then one time for all rows.
            columns[w["answered_at"]] = lambda v: self.moment(at(v.arrived + v.wait))
        elif s.split_dates:
            columns[w["date"]] = lambda v: self.day(at(v.arrived).date())
            columns[w["clock"]] = lambda v: self.clock(at(v.arrived))
        else:
            columns[w["arrived"]] = lambda v: self.moment(at(v.arrived))
        if s.wait == "stamps":
            columns[w["answered_at"]] = lambda v: self.moment(answer(v))
        if s.wait == "stamps" or s.handle == "end":
            columns[w["ended_at"]] = lambda v: self.moment(end(v))
        if s.wait != "stamps":
            columns[self.unit(w["wait"])] = lambda v: self.duration(v.wait)
        if s.handle == "end" and s.wait == "given":
            columns[w["answered_at"]] = lambda v: self.moment(answer(v))
        if s.handle == "total":
            columns[self.unit(w["handle"])] = lambda v: self.duration(v.handle * served(v))
        elif s.handle == "parts":
            parts = [
                lambda v: v.handle - v.handle // 10 - v.handle // 5,
                lambda v: v.handle // 10,
                lambda v: v.handle // 5,
            ]
            for key, part in zip(("talk", "hold", "acw"), parts, strict=True):
                columns[self.unit(w[key])] = lambda v, part=part: self.duration(part(v) * served(v))
        columns[w["queue"]] = lambda v: v.queue.name
        columns[w["media"]] = lambda v: w[v.queue.media]
        columns[w["agent"]] = lambda v: self.person(v.agent, s.log_agent)
        if s.outcome == "words":
            columns[w["outcome"]] = lambda v: w[v.outcome]
        elif s.outcome == "flags":
            for key in ("answered", "abandoned"):
                # The time of the answer may be called so as well.
                name = w[key].capitalize() + "?" * (w[key].capitalize() in columns)
                columns[name] = lambda v, key=key: w["yes" if v.outcome == key else "no"]
        if s.skills != "queues":
            columns[w["skill"]] = lambda v: v.queue.skill
        columns[w["language"]] = lambda v: v.language
        if s.ids:
            columns[w["id"]] = lambda v: v.id
        if s.extra:
            columns[w["phone"]] = lambda v: f"+49{700000000 + hash_of(v):09d}"
            columns[w["customer"]] = lambda v: f"{'ABCDEF'[hash_of(v) % 6]}. Kunde{hash_of(v) % 997}"
            columns[w["direction"]] = lambda v: w["inbound"]
            columns[w["wrap"]] = lambda v: None if hash_of(v) % 3 else 'nicht, zuständig; "Rückruf"'
        return columns

    def people(self) -> list[list[Any]]:
        """Agents."""
        s, w = self.style, self.w
        skills = [queue.skill for queue in self.centre.queues]
        columns: dict[str, Any] = {w["agent_id"]: lambda a: self.person(a, "id")}
        if self.rng.random() < 0.3:
            columns |= {w["first"]: lambda a: a.first, w["last"]: lambda a: a.last}
        else:
            how = self.rng.choice(["name", "last"])
            columns[w["name"]] = lambda a: self.person(a, how)
        if "email" in (s.log_agent, s.plan_agent) or self.rng.random() < 0.3:
            columns[w["email"]] = lambda a: a.email
        if s.skills in ("columns", "marks"):
            for skill in skills:
                columns[skill] = lambda a, skill=skill: (
                    ("x" if s.skills == "marks" else a.skills[skill]) if skill in a.skills else None
                )
        elif s.skills == "queues":
            of = {queue.skill: queue.name for queue in self.centre.queues}
            columns[w["queue"]] = lambda a: s.separator.join(of[skill] for skill in a.skills)
        else:
            form = {"(n)": "{} ({})", ":n": "{}:{}", "plain": "{}"}[s.skills]
            columns[w["skills"]] = lambda a: s.separator.join(form.format(*pair) for pair in a.skills.items())
        columns[w["languages"]] = lambda a: s.separator.join(a.languages)
        columns[w["team"]] = lambda a: a.team
        return self._table(
            columns, [[cell(a) for cell in columns.values()] for a in self.centre.agents], shuffled=s.shuffled
        )

    def queues(self) -> list[list[Any]]:
        """Queues and goals."""
        w = self.w
        columns: dict[str, Any] = {w["queue"]: lambda q: q.name, w["media"]: lambda q: w[q.media]}
        if self.rng.random() < 0.5:
            goal = self.rng.choice(["{}/{}", "{} / {}", "{}% / {}s", "{} % in {} s"])
            columns[w["goal"]] = lambda q: goal.format(round(100 * q.share), q.seconds)
        else:
            columns[w["share"]] = lambda q: Percent(q.share) if self.typed else f"{round(100 * q.share)} %"
            columns[w["seconds"]] = lambda q: q.seconds
        return self._table(
            columns, [[cell(q) for cell in columns.values()] for q in self.centre.queues], shuffled=False
        )

    def plan(self) -> list[list[Any]]:
        """Shifts: agents down and days across, days down and agents across, or one row a shift or an activity."""
        if self.style.plan in ("rows", "activities"):
            return getattr(self, f"_{self.style.plan}")()
        by_cell = {(shift.agent.id, shift.day): shift for shift in self.centre.shifts}
        days = [self.centre.first_day + timedelta(days=day) for day in range(self.centre.days)]
        name = self.w["agent"] if self.style.plan == "grid" else self.w["date"]
        cells = [
            [self._span(by_cell.get((agent.id, day)), agent, day) for day in range(len(days))]
            for agent in self.centre.agents
        ]
        people = [self.person(agent, self.style.plan_agent) for agent in self.centre.agents]
        if self.style.plan == "days down":
            return [
                [name, *people],
                *([self.short_day(at), *row] for at, row in zip(days, zip(*cells, strict=True), strict=True)),
            ]
        return [
            [name, *(self.short_day(at) for at in days)],
            *([who, *row] for who, row in zip(people, cells, strict=True)),
        ]

    def _span(self, shift: Shift | None, agent: Agent, day: int) -> Any:
        if shift is None:
            return (None, self.w["off"], self.w["off"], self.w["sick"], self.w["holiday"])[
                (int(agent.id) * 7 + day * 3) % 5
            ]
        return shift.code if self.style.cell == "code" else self.spans(shift.code)

    def spans(self, code: str) -> str:
        """A shift as cells of a plan say it."""
        start, out, back, end = SHIFTS[code]
        spans = [(start, out), (back, end)] if self.style.broken else [(start, end)]
        form = SPANS[0] if self.style.cell == "code" else self.style.cell
        return self.style.separator.replace("|", "/").join(_written(form, *span) for span in spans)

    def legend(self) -> list[list[Any]]:
        """What codes of a plan mean."""
        return [[self.w["code"], self.w["start"]], *([code, self.spans(code)] for code in SHIFTS)]

    def _rows(self) -> list[list[Any]]:
        w, at = self.w, self.centre.at
        minute = lambda m: time(m // 60 % 24, m % 60) if self.typed else f"{m // 60 % 24:02d}:{m % 60:02d}"  # noqa: E731
        header = [
            w["agent"],
            w["date"],
            w["start"],
            w["end"],
            *([w["break_start"], w["break_end"]] if self.style.broken else []),
        ]
        rows = []
        for shift in self.centre.shifts:
            start, out, back, end = SHIFTS[shift.code]
            row = [
                self.person(shift.agent, self.style.plan_agent),
                self.day(at(86400 * shift.day).date()),
                minute(start),
                minute(end),
            ]
            rows.append(row + ([minute(out), minute(back)] if self.style.broken else []))
        return [header, *rows]

    def _activities(self) -> list[list[Any]]:
        w, at = self.w, self.centre.at
        rows = []
        for shift in self.centre.shifts:
            (start, out), (back, end) = shift.spans
            for what, first, last in (("work", start, out), ("rest", out, back), ("work", back, end)):
                rows.append(
                    [
                        self.person(shift.agent, self.style.plan_agent),
                        w[what],
                        self.moment(at(60 * first)),
                        self.moment(at(60 * last)),
                    ]
                )
        return [[w["agent"], w["code"], w["start"], w["end"]], *rows]

    def _table(
        self, columns: dict[str, Any], rows: list[list[Any]], *, shuffled: bool, total: bool = False
    ) -> list[list[Any]]:
        header = list(columns)
        if shuffled:
            order = self.rng.sample(range(len(header)), len(header))
            header, rows = [header[i] for i in order], [[row[i] for i in order] for row in rows]
        if total:
            rows.append([self.w["total"], *[None] * (len(header) - 2), len(rows)])
        return [header, *rows]


def hash_of(visit: Visit) -> int:
    """A number that belongs to a contact, for what nobody needs."""
    return int(visit.id, 16) * 2654435761 % 99999989


def _written(form: str, start: int, end: int) -> str:
    """A span of minutes: `%H` hours of two digits, `%h` plain, `%p` of twelve hours."""
    for minute in (start, end):
        hour = minute // 60 % 24
        plain = f"{hour}:{minute % 60:02d}" if minute % 60 and "%h" in form and "%M" not in form else str(hour)
        half = f"{(hour + 11) % 12 + 1}{f':{minute % 60:02d}' if minute % 60 else ''}{'am' if hour < 12 else 'pm'}"
        for mark, text in (("%H", f"{hour:02d}"), ("%h", plain), ("%M", f"{minute % 60:02d}"), ("%p", half)):
            form = form.replace(mark, text, 1)
    return form


def _save(folder: Path, style: Style, tables: dict[str, tuple[str, list[list[Any]]]]) -> dict[str, Path]:
    titled = {
        table: (name, [[name], ["2026"], [], *rows] if style.title and table == "interactions" else rows)
        for table, (name, rows) in tables.items()
    }
    if style.form == "book":
        path = write_workbook(folder / "export.xlsx", dict(titled.values()))
        return dict.fromkeys(titled, path)
    if style.form == "xlsx":
        return {
            table: write_workbook(folder / f"{name}.xlsx", {"Sheet1": rows}) for table, (name, rows) in titled.items()
        }
    paths = {}
    for table, (name, rows) in titled.items():
        if style.form == "months" and table == "interactions":
            paths[table] = _months(folder / name, style, rows)
            continue
        paths[table] = folder / f"{name}.csv{'.gz' * (style.form == 'gz')}"
        data = _text(rows, style)
        paths[table].write_bytes(gzip.compress(data, 1) if style.form == "gz" else data)
    return paths


def _months(folder: Path, style: Style, rows: list[list[Any]]) -> Path:
    """The log in three files, each with the header and what stands above it."""
    folder.mkdir()
    top = 4 if style.title else 1
    third = -(-(len(rows) - top) // 3)
    for i in range(3):
        part = rows[top + i * third : top + (i + 1) * third]
        (folder / f"{folder.name}-{i + 1:02d}.csv").write_bytes(_text(rows[:top] + part, style))
    return folder


def _text(rows: Sequence[Sequence[Any]], style: Style) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=style.delimiter)
    writer.writerows([[_plain(cell, style.comma) for cell in row] for row in rows])
    # What an encoding has no letter for is a question mark, as programs write it.
    return out.getvalue().encode(style.encoding, "replace")


def _plain(cell: Any, comma: bool) -> Any:
    if isinstance(cell, float) and comma:
        return str(cell).replace(".", ",")
    return "" if cell is None else cell


def centre_of(style: Style, seed: int, **wanted: Any) -> Centre:
    """A centre that speaks the language of a style."""
    from tests.exported_centre import make_centre

    return make_centre(seed, language=LANGUAGE_OF.get(style.vocabulary, style.vocabulary), **wanted)


__all__ = [
    "DATES",
    "LANGUAGES",
    "SPANS",
    "Style",
    "Written",
    "centre_of",
    "random_style",
    "sheets_of",
    "staffing",
    "write",
]
