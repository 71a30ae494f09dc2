"""A small made-up centre played by an event loop of its own, with the truth of what happened."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

FIRST = {
    "de": "Anna Jürgen Katrin Peter Ines Frank Sören Ayşe Björn Uwe",
    "en": "Grace Liam Siobhán Noah Ruth Owen Maya Jack Zoë Ivy",
    "fr": "Chloé Hugo Inès Théo Jean-Luc Zoé Noël Aïcha Rémi Lou",
    "es": "Lucía Íñigo Sofía Hugo Martín José Núria Ana Raúl Eva",
    "it": "Giulia Marco Niccolò Sara Luca Elena Dario Pia Ugo Nina",
    "nl": "Sanne Daan Zoë Jeroen Fleur Bram Noor Sjoerd Lotte Tim",
    "pl": "Łukasz Agnieszka Michał Zofia Paweł Żaneta Jan Ewa Piotr Ola",
}  # fmt: skip
LAST = {
    "de": "Müller|Groß|Krüger|Yilmaz|Lang|von der Heide|Kähler|Schmidt-Rot|Sommer|Weiß",
    "en": "Smith|O'Brien|Okafor|Patel|Jones|Taylor-Reed|Young|McDonald|Evans|Day",
    "fr": "Lefèvre|D'Arcy|Dupont|Gauthier|Le Goff|Béranger|Roux|Petit|Çelik|Fabre",
    "es": "García López|Muñoz|Ruiz|Ibáñez|de la Cruz|Peña|Vidal|Sanz|Rey|Gil",
    "it": "Rossi|Esposito|D'Angelo|De Luca|Bianchi|Ferrò|Conti|Greco|Riva|Sala",
    "nl": "de Vries|van den Berg|Jansen|Bakker|Smit|'t Hart|Visser|Mulder|Bos|Kok",
    "pl": "Kowalski|Wiśniewska|Wójcik|Zając|Nowak|Dąbek|Król|Bąk|Żuk|Lis",
}
QUEUES = {
    "de": "Rechnung|Technik|Vertrieb|Reklamation|Retouren|Neukunden",
    "en": "Billing|Tech Support|Sales|Complaints|Returns|New Customers",
    "fr": "Facturation|Support technique|Ventes|Réclamations|Retours|Nouveaux clients",
    "es": "Facturación|Soporte|Ventas|Reclamaciones|Devoluciones|Altas",
    "it": "Fatture|Assistenza|Vendite|Reclami|Resi|Nuovi clienti",
    "nl": "Facturen|Techniek|Verkoop|Klachten|Retouren|Nieuwe klanten",
    "pl": "Faktury|Wsparcie|Sprzedaż|Reklamacje|Zwroty|Nowi klienci",
}  # fmt: skip
LANGUAGES = {
    "de": ("Deutsch", "Englisch"), "en": ("English", "Spanish"), "fr": ("Français", "Anglais"), "es": ("Español",
    "Inglés"),
    "it": ("Italiano", "Inglese"), "nl": ("Nederlands", "Engels"), "pl": ("Polski", "Angielski"),
}  # fmt: skip
# Start, break and end of the shifts that are worked, in minutes of the day; the last one ends after midnight.
SHIFTS = {
    "F": (480, 705, 735, 960), "M": (540, 780, 825, 1080), "S": (690, 900, 930, 1170), "T": (480, 600, 615, 720),
    "N": (1050, 1260, 1290, 1560),
}  # fmt: skip


@dataclass(frozen=True)
class Agent:
    """Somebody who works shifts: skills with levels, and languages."""

    id: str
    first: str
    last: str
    skills: dict[str, int]
    languages: tuple[str, ...]
    team: str

    @property
    def email(self) -> str:
        """Address, in plain letters as mail systems want it."""
        plain = f"{self.first}.{self.last}".casefold().translate(
            str.maketrans("äöüßéèáíóúñłąęśżźćńïëçşòà", "aousaaaiounlaeszzcniecsoa")
        )
        return f"{''.join(c for c in plain if c.isascii() and (c.isalnum() or c == '.'))}@example.com"


@dataclass(frozen=True)
class Queue:
    """A queue: what it needs and what is promised."""

    name: str
    skill: str
    media: str
    share: float
    seconds: int


@dataclass
class Visit:
    """One contact in one queue; times are seconds since midnight of the first day, on the wall clock."""

    id: str
    queue: Queue
    language: str
    arrived: int
    patience: int
    handle: int
    outcome: str = ""
    agent: Agent | None = None
    wait: int = 0


@dataclass(frozen=True)
class Shift:
    """A day's work of one agent, by the name of its shift."""

    agent: Agent
    day: int
    code: str

    @property
    def spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Before and after the break, in minutes since midnight of the first day."""
        start, out, back, end = (1440 * self.day + minute for minute in SHIFTS[self.code])
        return (start, out), (back, end)


@dataclass(frozen=True)
class Counts:
    """What is counted of one queue, or of all."""

    offered: int
    answered: int
    abandoned: int
    within: int
    wait_s: int
    handle_s: int

    @property
    def service_level(self) -> float:
        """Answered within the goal, of answered and abandoned."""
        return self.within / max(self.answered + self.abandoned, 1)

    @property
    def asa_s(self) -> float:
        """Mean wait of the answered."""
        return self.wait_s / max(self.answered, 1)


@dataclass(frozen=True)
class Centre:
    """A centre and some days of it."""

    language: str
    first_day: date
    days: int
    agents: tuple[Agent, ...]
    queues: tuple[Queue, ...]
    shifts: tuple[Shift, ...]
    visits: tuple[Visit, ...]

    def at(self, second: float) -> datetime:
        """Wall time of a second."""
        return datetime.combine(self.first_day, time()) + timedelta(seconds=second)

    def truth(self, visits: tuple[Visit, ...] | None = None) -> Counts:
        """What happened, overall or to some visits."""
        told = self.visits if visits is None else visits
        answered = [v for v in told if v.outcome == "answered"]
        return Counts(
            len(told), len(answered), sum(v.outcome == "abandoned" for v in told),
            sum(v.wait <= v.queue.seconds for v in answered),
            sum(v.wait for v in answered), sum(v.handle for v in answered),
        )  # fmt: skip

    def truth_of(self, queue: Queue) -> Counts:
        """What happened in a queue."""
        return self.truth(tuple(v for v in self.visits if v.queue is queue))


def make_centre(
    seed: int, *, language: str = "de", days: int = 7, n_agents: int = 12, n_queues: int = 3,
    first_day: date | None = None,
    load: float = 0.8, late: bool = False, overflow_s: int | None = None, second_language: bool = True,
    other_skills: bool = False,
) -> Centre:  # fmt: skip
    """A made-up centre from a seed; `late` has shifts past midnight, `overflow_s` sends away who waited so long."""
    rng = random.Random(seed)
    first_day = first_day or date(2026, 4, 6) + timedelta(days=7 * rng.randrange(20))
    queues = _queues(rng, language, n_queues, other_skills)
    agents = _agents(rng, language, n_agents, queues, second_language)
    shifts = tuple(_shifts(rng, agents, first_day, days, late))
    arrivals = _arrivals(rng, queues, shifts, language, load, second_language)
    centre = Centre(language, first_day, days, agents, queues, shifts, tuple(arrivals))
    _Play(centre, overflow_s).run()
    return centre


def _queues(rng: random.Random, language: str, n: int, other_skills: bool) -> tuple[Queue, ...]:
    goals = [(0.8, 20), (0.8, 30), (0.9, 60), (0.7, 15)]
    names = QUEUES[language].split("|")[:n]
    return tuple(
        Queue(name, f"S-{name[:4].strip()}" if other_skills else name, "voice", *rng.choice(goals)) for name in names
    )


def _agents(rng: random.Random, language: str, n: int, queues: tuple[Queue, ...], second: bool) -> tuple[Agent, ...]:
    names = [(first, last) for first in FIRST[language].split() for last in LAST[language].split("|")]
    start = rng.randrange(1000, 9000)
    made = []
    for i, (first, last) in enumerate(rng.sample(names, n)):
        main = queues[i % len(queues)]
        skills = {main.skill: rng.randint(3, 5)}
        if rng.random() < 0.5:
            skills.setdefault(rng.choice(queues).skill, rng.randint(1, 4))
        spoken = LANGUAGES[language] if second and (i < len(queues) or rng.random() < 0.3) else LANGUAGES[language][:1]
        made.append(Agent(str(start + i), first, last, skills, spoken, main.name))
    return tuple(made)


def _shifts(rng: random.Random, agents: tuple[Agent, ...], first: date, days: int, late: bool) -> Iterator[Shift]:
    codes = "FFMMSSTN" if late else "FFMMSST"
    for day in range(days):
        weekday = (first + timedelta(days=day)).weekday()
        for agent in agents:
            if rng.random() < (0.85 if weekday < 5 else 0.4 if weekday == 5 else 0.0):
                yield Shift(agent, day, rng.choice(codes))


def _arrivals(
    rng: random.Random, queues: tuple[Queue, ...], shifts: tuple[Shift, ...], language: str, load: float, second: bool
) -> list[Visit]:
    """As many in each hour as the agents whose main queue it is can take, on average over the days."""
    visits, handle = [], 240
    for day in sorted({shift.day for shift in shifts}):
        for hour in range(8, 26):
            at = 1440 * day + 60 * hour
            for queue in queues:
                worked = sum(
                    max(0, min(end, at + 60) - max(start, at)) for shift in shifts if shift.agent.team == queue.name
                    for start, end in shift.spans
                )  # fmt: skip
                for _ in range(round(rng.gauss(1, 0.15) * load * worked * 60 / handle)):
                    spoken = LANGUAGES[language][second and rng.random() < 0.06]
                    visits.append(
                        Visit("", queue, spoken, 60 * at + rng.randrange(3600), 1 + int(rng.expovariate(1 / 240)),
                              10 + int(rng.lognormvariate(5.25, 0.6)))
                    )  # fmt: skip
    visits.sort(key=lambda visit: visit.arrived)
    start = rng.randrange(10**6, 9 * 10**6)
    for i, visit in enumerate(visits):
        visit.id = f"{start + 7 * i:08x}"
    return visits


@dataclass
class _Desk:
    """What an agent is doing."""

    agent: Agent
    is_on: bool = False
    is_busy: bool = False
    idle_since: float = 0.0


@dataclass
class _Play:
    """The centre at work: the longest idle agent with skill and language takes who waits longest."""

    centre: Centre
    overflow_s: int | None
    desks: list[_Desk] = field(default_factory=list)
    waiting: deque[Visit] = field(default_factory=deque)
    events: list[tuple[int, int, int, object]] = field(default_factory=list)
    n: int = 0

    def run(self) -> None:
        """Play all; at one instant agents are freed first, shifts end, shifts begin, then visits come and go."""
        self.desks = [_Desk(agent) for agent in self.centre.agents]
        by_agent = {id(desk.agent): desk for desk in self.desks}
        for shift in self.centre.shifts:
            for start, end in shift.spans:
                self.add(60 * end, 1, by_agent[id(shift.agent)])
                self.add(60 * start, 2, by_agent[id(shift.agent)])
        for visit in self.centre.visits:
            self.add(visit.arrived, 3, visit)
        while self.events:
            now, kind, _, what = heapq.heappop(self.events)
            (self.freed, self.ended, self.began, self.came, self.left)[kind](now, what)  # type: ignore[operator]

    def add(self, at: int, kind: int, what: object) -> None:
        self.n += 1
        heapq.heappush(self.events, (at, kind, self.n, what))

    def freed(self, now: int, desk: _Desk) -> None:
        desk.is_busy, desk.idle_since = False, now
        self.look(now, desk)

    def ended(self, now: int, desk: _Desk) -> None:
        desk.is_on = False

    def began(self, now: int, desk: _Desk) -> None:
        desk.is_on = True
        self.look(now, desk)

    def came(self, now: int, visit: Visit) -> None:
        free = [d for d in self.desks if d.is_on and not d.is_busy and _can(d.agent, visit)]
        if free:
            self.serve(now, min(free, key=lambda d: d.idle_since), visit)
            return
        self.waiting.append(visit)
        self.add(now + min(visit.patience, self.overflow_s or visit.patience), 4, visit)

    def left(self, now: int, visit: Visit) -> None:
        if not visit.outcome:
            visit.outcome = "abandoned" if now - visit.arrived == visit.patience else "flowed_out"
            visit.wait = now - visit.arrived
            self.waiting.remove(visit)

    def look(self, now: int, desk: _Desk) -> None:
        if desk.is_on and not desk.is_busy and (visit := next((v for v in self.waiting if _can(desk.agent, v)), None)):
            self.waiting.remove(visit)
            self.serve(now, desk, visit)

    def serve(self, now: int, desk: _Desk, visit: Visit) -> None:
        desk.is_busy = True
        visit.outcome, visit.agent, visit.wait = "answered", desk.agent, now - visit.arrived
        self.add(now + visit.handle, 0, desk)


def _can(agent: Agent, visit: Visit) -> bool:
    return visit.queue.skill in agent.skills and visit.language in agent.languages
