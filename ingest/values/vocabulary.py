"""Words of dates and clocks in the languages of our users, folded as `texts.folded` folds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_MONTHS = """
january february march april may june july august september october november december
januar februar marz april mai juni juli august september oktober november dezember
janner feber maerz april mai juni juli august september oktober november dezember
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
januari februari maart april mei juni juli augustus september oktober november december
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari februari mars april maj juni juli augusti september oktober november december
januar februar marts april maj juni juli august september oktober november desember
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
"""
# Short forms that are no first letters of the name.
_SHORT = {"mrt": 3, "mrz": 3, "sept": 9, "juil": 7}
_DAYS = """
monday tuesday wednesday thursday friday saturday sunday
montag dienstag mittwoch donnerstag freitag samstag sonntag
lundi mardi mercredi jeudi vendredi samedi dimanche
lunes martes miercoles jueves viernes sabado domingo
lunedi martedi mercoledi giovedi venerdi sabato domenica
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag
segunda terca quarta quinta sexta sabado domingo
mandag tirsdag onsdag torsdag fredag lordag sondag
mandag tisdag onsdag torsdag fredag lordag sondag
poniedzialek wtorek sroda czwartek piatek sobota niedziela
"""
_LEAST_LETTERS = 3


def fold(text: str) -> str:
    """One text in lower case without accents."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(bare.replace("ß", "ss").lower().split())


def _beginnings(lines: str) -> dict[str, int]:
    """Number from 1 of each name and of each beginning that no other name has."""
    found: dict[str, set[int]] = {}
    for line in lines.strip().splitlines():
        for number, name in enumerate(line.split(), 1):
            for length in range(min(_LEAST_LETTERS, len(name)), len(name) + 1):
                found.setdefault(name[:length], set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


MONTHS: dict[str, int] = _beginnings(_MONTHS) | {name: n for name, n in _SHORT.items() if len(name) >= _LEAST_LETTERS}
# Weekdays before a date say nothing that the date does not; two letters do (`Mo`, `We`, `Lu`).
WEEKDAYS: frozenset[str] = frozenset(name[:length] for name in _DAYS.split() for length in range(2, len(name) + 1)) | {
    "sam",
    "son",
    "segunda-feira",
    "terca-feira",
    "quarta-feira",
    "quinta-feira",
    "sexta-feira",
}
MORNING = frozenset({"am", "a", "vorm", "vormittags", "fm"})
AFTERNOON = frozenset({"pm", "p", "nachm", "nachmittags", "em"})
# Words behind a clock time that only say that it is one.
O_CLOCK = frozenset({"uhr", "h", "hs", "hrs", "hours", "uur", "ore", "klo", "kl"})


def words(*lines: Iterable[str] | str) -> frozenset[str]:
    """Words of several lines, folded."""
    return frozenset(fold(word) for line in lines for word in (line.split() if isinstance(line, str) else line))


# Cells of a shift plan that say that nobody works.
OFF = words(
    "- – — -- x 0 / . off free frei krank urlaub feiertag abwesend u k au",
    "vacation holiday sick leave pto absent ooo rdo unavailable away",
    "libre vacaciones baja enfermo enferma descanso festivo ausente",
    "conge conges repos malade maladie absent absente ferie rtt",
    "libero ferie malattia riposo malato assente festivo permesso",
    "vrij ziek verlof vakantie afwezig feestdag",
    "folga ferias doente licenca feriado",
    "ledig syg fri ferie sjuk semester",
    "wolne urlop chory",
    "atestado volno nemoc dovolena",
) | {
    fold(each)
    for each in (
        "day off", "days off", "not working", "no shift", "annual leave", "sick leave", "public holiday",
        "bank holiday", "time off", "kein dienst", "nicht da", "arbeitsunfähig", "zeitausgleich", "freizeitausgleich",
        "überstundenfrei", "elternzeit", "mutterschutz", "bildungsurlaub", "resturlaub", "sonderurlaub", "kind krank",
        "dienstfrei", "n/a", "none", "null", "baja médica", "día libre", "en congé", "arrêt maladie", "jour férié",
        "vrije dag", "dia livre", "giorno libero",
    )
}  # fmt: skip
