"""Set up and run routelab with nothing but Python: `python3 run.py demo`, `test`, `serve`, `cli ...`.

Makes `.venv` beside this file, installs the locked packages that the command needs (hashes checked), and
runs the command in it. A second start finds everything in place and only runs.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def end_at_once(number: int, frame: object) -> None:
    """Ctrl-C where there is nothing to put away yet or any more."""
    if sys.stderr is not None:
        # Where it cannot be written, nobody is left to be told.
        with suppress(OSError):
            os.write(2, b"run.py: stopped\n")
    os._exit(1)


if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_at_once)

import hashlib
import importlib.util
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

Child = subprocess.Popen[bytes]
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)
# Within so long a step of the set-up, which Ctrl-C reaches, too, may put away what it has begun. [s]
WINK_S = 0.1
USAGE = """usage: python3 run.py COMMAND

  demo          make seven months of calls shaped like a real bank's, and route them
  serve         answer /simulate/routing and /simulate/batch on this machine, see /docs
  test          run the tests on every core; with a file or a test named, only that
  check         run the other checks: lint, format, types, import contracts, docstrings
  cli ...       anything else: python3 run.py cli --help
  install       only install what running needs

Options after the command are passed on: python3 run.py demo --out results"""

CHECKS = [
    ["-m", "ruff", "check", "."],
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "mypy"],
    ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    ["-m", "tests.docstrings"],
]


def main(arguments: list[str]) -> int:
    """Set up what a command needs, run it, and give its exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command in {"-h", "--help"}:
        print(USAGE, flush=True)
        return 0
    if command not in {"demo", "serve", "test", "check", "cli", "install"}:
        say(USAGE)
        return 2
    if sys.version_info < OLDEST:
        return refuse(f"this is Python {sys.version.split()[0]}; routelab needs 3.11 or newer")
    try:
        with ended_as_interrupted():
            install(layer_for(command, rest))
    except SetupError as error:
        return refuse(str(error))
    except KeyboardInterrupt:
        tell("stopped while setting up; the next start goes on from here")
        return 1
    if command == "install":
        return 0
    if command == "check":
        return check()
    if command == "test":
        # A hundred processes start in it, and each would compile whatever it reads anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        return call(["-m", "pytest", *workers_for(rest), *rest])
    return call(["-m", "api", *(rest if command == "cli" else [command, *rest])])


def layer_for(command: str, rest: list[str]) -> str:
    """What a command needs: development and Genesys packages come with the first command that asks for them."""
    if command in {"test", "check"}:
        return "dev"
    reads_genesys = command == "cli" and (rest[:1] == ["genesys"] or rest[:2] == ["snapshot", "genesys"])
    serves = command == "serve" or (command == "cli" and rest[:1] == ["serve"])
    serves_live = serves and ("GENESYS_CLIENT_ID" in os.environ or named_in_settings(rest))
    return "genesys" if reads_genesys or serves_live else "run"


def named_in_settings(rest: list[str]) -> bool:
    """Whether the settings file names a client of Genesys Cloud."""
    named = [rest[place + 1] for place, option in enumerate(rest[:-1]) if option == "--settings"]
    path = Path((named or [os.environ.get("ROUTELAB_SETTINGS", "routelab.toml")])[0])
    try:
        return "genesys_client_id" in path.read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        # Not there or not readable: the command itself says so where it matters.
        return False


def workers_for(rest: list[str]) -> list[str]:
    """The whole suite runs on every core; a file or a test that is named runs here, starting at once."""
    names_some = any((HERE / option.split("::")[0]).exists() for option in rest if not option.startswith("-"))
    return [] if names_some else ["--numprocesses", "auto", "--dist", "worksteal"]


class SetupError(Exception):
    """Setting up failed for a reason the user can mend."""


def say(text: str) -> None:
    """Everything but results goes to standard error; where that is closed or full, nobody is left to be told."""
    # A name of a folder may hold what a terminal would obey, or letters that it lacks.
    seen = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
    with suppress(OSError, AttributeError):
        encoding = sys.stderr.encoding
        sys.stderr.write(seen.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()


def tell(what: str) -> None:
    """Progress."""
    say(f"run.py: {what}")


def refuse(why: str) -> int:
    """Say why it cannot go on, in one line."""
    tell(why)
    return 2


def call(arguments: list[str]) -> int:
    """Run the environment's Python and give its exit code."""
    with started([arguments]) as (child,):
        return child.wait()


def check() -> int:
    """Run all checks at once, show in turn what each said, and give the worst exit code."""
    with ExitStack() as ends:
        said = [ends.enter_context(tempfile.TemporaryFile()) for _ in CHECKS]
        children = ends.enter_context(started(CHECKS, said))
        for child, words in zip(children, said, strict=True):
            child.wait()
            words.seek(0)
            sys.stdout.buffer.write(words.read())
            sys.stdout.flush()
        return max(abs(child.returncode) for child in children)


@contextmanager
def started(commands: list[list[str]], into: Sequence[IO[bytes] | None] = (None,)) -> Iterator[list[Child]]:
    """Commands of the environment's Python; whoever ends this script means them, also while they start."""
    children: list[Child] = []
    early: list[int] = []

    def passed_on(number: int, frame: object) -> None:
        if len(children) < len(commands):
            early.append(number)
            return
        for child in children:
            child.send_signal(number)

    # What is ignored, as by nohup, they inherit.
    passed = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [number for number in passed if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, passed_on) for number in heard}
    try:
        children += [start(one, said) for one, said in zip(commands, into, strict=True)]
        # Ctrl-C reaches them by itself; they would inherit that it is ignored.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in early:
            passed_on(number, None)
        yield children
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start(arguments: list[str], into: IO[bytes] | None) -> Child:
    """Start the environment's Python; what it says goes to this terminal or into a file."""
    # Modules are found from this folder whatever the caller's; relative paths stay the caller's.
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    where = HERE if arguments[1] not in {"api"} else None
    errors = None if into is None else subprocess.STDOUT
    return subprocess.Popen([PYTHON, *arguments], env=environment, cwd=where, stdout=into, stderr=errors)


@contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Whoever ends the script while it sets up ends the installer, too, as with Ctrl-C."""
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is end_at_once:
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def outcome_of(command: list[str]) -> subprocess.CompletedProcess[str]:
    """What a step says, and its exit code; where this script is told to end, it ends the step and waits for that."""
    pipe = subprocess.PIPE
    with ends_noted() as told, subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as child:
        while True:
            is_last = bool(told)
            with suppress(subprocess.TimeoutExpired):
                out, err = child.communicate(timeout=WINK_S)
                return subprocess.CompletedProcess(command, child.returncode, out, err)
            if is_last:
                child.kill()
                child.wait()
                raise KeyboardInterrupt


@contextmanager
def ends_noted() -> Iterator[list[int]]:
    """Signals that would be raised come when it is left: raised while a process starts, they would lose sight of it."""
    told: list[int] = []
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if raises(number)]
    for number in numbers:
        signal.signal(number, lambda number, frame: told.append(number))
    try:
        yield told
    finally:
        for number in numbers:
            signal.signal(number, signal.default_int_handler)
    if told:
        raise KeyboardInterrupt


def raises(number: int) -> bool:
    """Whether a signal is raised as Ctrl-C is."""
    return signal.getsignal(number) is signal.default_int_handler


def install(layer: str) -> None:
    """Make the environment and install one locked layer, unless that is done already."""
    try:
        install_into(layer)
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{VENV} cannot be set up ({reason(error)}); it takes a folder that you may write to, with room on its disk"
        ) from error


def install_into(layer: str) -> None:
    """The same, with whatever the system says where it cannot be done."""
    lock = HERE / "requirements" / f"{layer}.lock"
    project = (HERE / "pyproject.toml").read_bytes()
    want = hashlib.sha256(lock.read_bytes() + project + sys.version.encode() + str(HERE).encode()).hexdigest()
    mark = VENV / f".installed-{layer}"
    if PYTHON.exists() and mark.exists() and mark.read_text() == want:
        return
    tell(f"setting up {VENV}; this happens once and takes about half a minute")
    make_environment()
    installer = find_installer()
    run([*installer, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], "installing the locked packages")
    run([*installer, "--no-deps", "--no-build-isolation", "-e", str(HERE)], "installing routelab itself")
    mark.write_text(want)


def make_environment() -> None:
    """An environment of this very Python; one that is broken or of another Python is made anew."""
    if PYTHON.exists() and same_python():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        import venv
    except ImportError as error:
        raise SetupError("this Python has no venv module (Debian, Ubuntu: apt install python3-venv)") from error
    venv.create(VENV, with_pip=False, symlinks=os.name != "nt")


def same_python() -> bool:
    """Whether the environment starts and has this Python's version."""
    ask = [str(PYTHON), "-c", "import sys; print(sys.version)"]
    try:
        found = outcome_of(ask)
    except OSError:
        return False
    return found.stdout.strip() == sys.version.strip()


def find_installer() -> list[str]:
    """The command that installs into the environment: uv, the environment's pip, or this Python's pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    quiet = ["install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if importlib.util.find_spec("ensurepip"):
        bundled = outcome_of([str(PYTHON), "-m", "ensurepip", "--default-pip"])
        if bundled.returncode == 0:
            return [str(PYTHON), "-m", "pip", *quiet]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", str(PYTHON), *quiet]
    raise SetupError(
        "this Python can make environments but has neither ensurepip nor pip to fill them; install one "
        "(Debian, Ubuntu: apt install python3-venv; Fedora: dnf install python3-pip) or install uv, and start again"
    )


def run(command: list[str], what: str) -> None:
    """Run a set-up step; where it fails, show the end of what it said."""
    tell(what)
    done = outcome_of(command)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise SetupError("\n  ".join([f"{what} failed (is the package index reachable?):", *said]))


def reason(error: OSError | ValueError) -> str:
    """What the system, or the library that makes environments, has against it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def finished(arguments: list[str]) -> int:
    """The exit code; what the system refuses is told in one line."""
    try:
        return main(arguments)
    except BrokenPipeError:
        return 1
    except OSError as error:
        tell(f"failed: {reason(error)}")
        return 1


if __name__ == "__main__":
    sys.exit(finished(sys.argv[1:]))
