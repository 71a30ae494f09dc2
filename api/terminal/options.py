"""Options that several commands share; those of a scenario are made from the declaration of settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from api.printing import tell

if TYPE_CHECKING:
    from datetime import date

    from engine.data.arrays import Arrays
    from engine.estimates.assumptions import Assumptions
    from engine.setting import Setting
    from engine.spec import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

store = click.option(
    "--store", type=click.Path(path_type=Path), default=Path("data/snapshots"), envvar="ROUTELAB_STORE",
    show_default=True, show_envvar=True, help="Folder of snapshots.",
)  # fmt: skip
snapshot = click.option("--snapshot", "snapshot_name", required=True, help="Name of a snapshot, or its folder.")
name = click.option("--name", required=True, help="Name of the new snapshot.")
replace = click.option("--replace", is_flag=True, help="Replace a snapshot of this name.")
replace_results = click.option("--replace", is_flag=True, help="Replace results that are there already.")
no_light = click.option(
    "--no-light", is_flag=True, help="Do not replay today's rule after it; the first look is then figures only."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")


class _Day(click.ParamType):  # type: ignore[type-arg]
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:
        """Read a day."""
        from engine.data.wall_time import day_of

        return day_of(param.opts[0] if param else "the day", value)


DAY = _Day()
_WINDOW = (
    click.option("--from", "first_day", type=DAY, help="First day, local.  [default: all]"),
    click.option("--to", "last_day", type=DAY, help="Last day, included.  [default: all]"),
)


class NamesMethods(click.Option):
    """An option whose help ends with the methods there are."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Its place in the help."""
        from engine.methods import METHODS

        found = super().get_help_record(ctx)
        return found and (found[0], f"{found[1]}  Methods: {', '.join(METHODS)}.")


class Once(click.Command):
    """A command that refuses an option given twice where one is meant."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        # Parsed once more for the order alone: click keeps the last of two values and says nothing of the first.
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        is_help = any(each.is_eager for each in order)
        for each in () if is_help else order:
            if isinstance(each, click.Option) and not (each.multiple or each.is_flag) and order.count(each) > 1:
                raise click.UsageError(f"{each.opts[-1]} is given more than once; give it once", ctx)
        return super().parse_args(ctx, args)


class ScenarioCommand(Once):
    """A command with options for settings, made when the command is used and not for a list of commands."""

    def __init__(
        self, *args: Any, only: tuple[str, ...] = (), decided: tuple[str, ...] = (),
        defaults: Mapping[str, object] | None = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **more)
        self.only, self.decided, self.defaults = only, decided, defaults or {}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own options, then those of the declaration, then help."""
        # Made once for each use: click asks several times, and a list of commands must not load the engine.
        *own, help_ = super().get_params(ctx)
        return [*own, *ctx.meta.setdefault(f"{__name__}.{self.name}", [*self._made()]), help_]

    def _made(self) -> Iterator[click.Option]:
        from engine.spec import settings

        some = [each for each in settings() if each.name in self.only or not self.only]
        for each in some:
            if each.name not in self.decided and each.path[0] != "switches":
                yield option_of(each, self.defaults.get(each.name))
        if not self.only:
            yield from _levers()
            yield from _files_and_switches([each.name for each in some if each.path[0] == "switches"])


def _levers() -> Iterator[click.Option]:
    from engine.levers import LEVERS

    for name, lever in LEVERS.items():
        told = f"Replay: {lever.about} A number, or its entries as JSON."
        yield click.Option([f"--{name}"], metavar="NUMBER|JSON", help=told)


def _files_and_switches(switches: list[str]) -> Iterator[click.Option]:
    yield click.Option(
        ["--switch"], multiple=True, metavar="NAME=VALUE",
        help=f"Where sources on Genesys' routing differ, as in {switches[0]}=true; may be given again. Names: "
        f"{', '.join(switches)}.",
    )  # fmt: skip
    yield click.Option(
        ["--calibration"], type=click.Path(path_type=Path, dir_okay=False),
        help="Replay: assumptions fitted by 'routelab calibrate'; options given here win.",
    )  # fmt: skip


command = partial(click.command, cls=Once)
scenario_command = partial(click.command, cls=ScenarioCommand)


def option_of(each: Setting, default: object = None) -> click.Option:
    """The option of a setting; it is None where it is not given, so that files may stand in."""
    from engine.setting import default_text

    held = each.default if default is None else default
    said = default_text(each) if default is None and each.by_mode else _plain(held)
    help_ = each.sentence + (f"  [default: {said}]" if said else "")
    return click.Option([f"--{each.option}", each.name], metavar=_metavar(each), help=help_)


def _metavar(each: Setting) -> str:
    if each.kind == "terms":
        return "P,L,C"
    if each.kind == "goal":
        return "SHARE/SECONDS"
    if each.kind == "filters":
        *several, alone = map(str, each.words)
        return f"{','.join(several)}|{alone}|none"
    number = {"s": "SECONDS"}.get(each.unit, "WHOLE" if each.kind == "whole" else "NUMBER")
    return "|".join([*map(str, each.words), *([number] if each.kind in ("number", "whole") else [])])


def _plain(value: object) -> str:
    """A default as it would be typed."""
    from engine.scoring.weights import RoutingWeights

    if isinstance(value, RoutingWeights):
        return ",".join(f"{term:g}" for term in value.terms)
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def window(command: Command) -> Command:
    """Add the options that choose days of a snapshot."""
    for option in reversed(_WINDOW):
        command = option(command)
    return command


def as_calibrated(path: Path | None, arrays: Arrays) -> Arrays:
    """The data set under the rule that a calibration found; a note where it was fitted on other data."""
    from api.output.calibration_file import read_calibration

    if path is None:
        return arrays
    fitted = read_calibration(path)
    if fitted.origin and fitted.origin.sha256 != arrays.snapshot.sha256:
        tell(f"note: {path} was fitted on other data, snapshot {fitted.origin.id!r}")
    if fitted.no_longer:
        tell(f"note: {path} {fitted.no_longer}; fit it again on later days")
    return fitted.in_force.applied(arrays)


def scenario_of(given: Mapping[str, Any], mode: str = "score") -> Scenario:
    """The scenario that options say by name, None where not given, in a mode unless they say another."""
    from engine.spec import Scenario
    from engine.spec import scenario_of as made

    return made({"mode": mode} | chosen(given), Scenario(assumptions=calibrated(given["calibration"])))


def chosen(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, of those options that were given."""
    from engine.errors import InvalidScenario
    from engine.spec import settings

    if given.get("performance") is not None and given.get("sla") is None:
        raise InvalidScenario("--performance needs --sla: without a goal it moves nothing; add --sla 80/20, say")
    known = {each.name: each for each in settings()}
    return read(given) | _switches(given["switch"], known) | levers(given)


def read(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, of those options of their own that were given."""
    from engine.spec import settings

    return {each.name: _read(each, given[each.name]) for each in settings() if given.get(each.name) is not None}


def levers(given: Mapping[str, Any]) -> dict[str, Any]:
    """Levers by name, of those options that were given."""
    from engine.levers import LEVERS

    return {name: _lever(name, given[name]) for name in LEVERS if given.get(name) is not None}


def _lever(name: str, text: str) -> object:
    import json

    from engine.errors import InvalidScenario
    from engine.setting import shown

    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidScenario(
            f'--{name} {shown(text)}: write a number, or entries as JSON, for example {{"factor": 0.9}}'
        ) from error


def calibrated(path: Path | None) -> Assumptions:
    """The assumptions of a calibration file, or the defaults."""
    from api.output.calibration_file import read_calibration
    from engine.estimates.assumptions import Assumptions

    return Assumptions.of({} if path is None else read_calibration(path).assumptions)


def _read(each: Setting, text: str) -> Any:
    """The value of an option, as the declaration wants it; what cannot be read stays a text, which it refuses."""
    if each.kind == "terms":
        return _numbers(text)
    if each.kind == "word":
        # A word may be a number, as the minutes of an interval.
        return next((word for word in each.words if str(word) == text), text)
    return _number_or_text(text, each.kind) if each.kind in ("number", "whole") else text


def _numbers(text: str) -> list[float] | str:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return text


def _switches(texts: tuple[str, ...], known: Mapping[str, Setting]) -> dict[str, Any]:
    from engine.errors import InvalidScenario
    from engine.setting import shown

    names = [name for name, each in known.items() if each.path[0] == "switches"]
    given: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        words = {"true": True, "false": False} if name in names and known[name].kind == "flag" else {}
        number = _number_or_text(value)
        if name not in names or (words and value not in words) or (not words and isinstance(number, str)):
            raise InvalidScenario(
                f"--switch {shown(text)}: write NAME=true, NAME=false or NAME=NUMBER; names: {', '.join(names)}"
            )
        if name in given:
            raise InvalidScenario(f"--switch {name} is given more than once; give it once")
        # A whole number stays one: switches that count refuse 100.0.
        given[name] = words[value] if words else int(number) if number in range(1_000_001) else number
    return given


def _number_or_text(text: str, kind: str = "number") -> float | str:
    try:
        return int(text) if kind == "whole" else float(text)
    except ValueError:
        return text
