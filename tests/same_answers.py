"""Record what a checkout answers, and compare the answers of two checkouts.

    python -m tests.same_answers record CHECKOUT OUTDIR
    python -m tests.same_answers compare BEFORE AFTER

`record` makes snapshots in a scratch folder, plays 25 named runs through the command line and HTTP, and writes one
JSON file for each; times, ports and places are left out. Outcomes are kept as a hash of every column. `compare` says
run by run what is equal and what differs: a value that changed or is gone differs, one that was added is only listed.
What people read (tables, standard error) is compared by line and listed apart as text; it does not count as a
difference. Exit code 1 where an answer differs, 0 where none does, 2 where something could not be run.

Runs over the bank's log read its place from ROUTELAB_BANK_LOG, and are skipped without it.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from pathlib import Path

import orjson
from pyarrow import ipc

from tests.same_answers_runs import (
    COMMANDS,
    DOUBLE,
    NAMES,
    OUT,
    REQUESTS,
    SNAPSHOTS,
    TABLES,
    WRITES_OUT,
    Json,
    needs_bank,
    write_rings,
)

SCRATCH, STORE = "scratch", "store"
BANK_LOG = "ROUTELAB_BANK_LOG"
LONGEST_S, STARTS_WITHIN_S = 600.0, 60.0
MOST_SHOWN, WIDEST = 20, 100
TIMED = {"timing", "load_s", "simulate_s", "write_s", "interactions_per_s", "age_s", "created", "duration_s"}
ADDRESS = re.compile(r"\b127\.0\.0\.1:\d+")
# Set by whoever calls: they would change where code, snapshots and settings come from.
FOREIGN = ("ROUTELAB_", "GENESYS_", "PYTHON", "NUMBA_")

# --- running a checkout ----------------------------------------------------------------------------------------------


class CannotRun(Exception):
    """Why answers cannot be recorded or compared."""


@dataclass(frozen=True)
class Checkout:
    """A checkout's doors, used from a scratch folder so that all paths are relative to it."""

    code: Path
    scratch: Path

    def environment(self) -> dict[str, str]:
        """Variables of its processes; machine code is compiled anew, so that none is left from other sources."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        own = {"PYTHONPATH": str(self.code), "ROUTELAB_STORE": STORE, "COLUMNS": "120", "NO_COLOR": "1"}
        own |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", "XDG_STATE_HOME": str(self.scratch / "state")}
        return kept | own

    def check(self) -> None:
        """Refuse a folder whose code would not be the one that runs."""
        find = "import importlib.util; print(importlib.util.find_spec('api').origin)"
        found = self._run([sys.executable, "-c", find]).stdout.strip()
        if not found or self.code not in Path(found).parents:
            raise CannotRun(f"{self.code}: holds no package api; found {found or 'none'}")

    def routelab(self, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one command line to its end."""
        return self._run([sys.executable, "-m", "api", *shlex.split(line)], **variables)

    def _run(self, command: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment() | variables
        return subprocess.run(
            command, env=environment, cwd=self.scratch, capture_output=True, text=True, encoding="utf-8", check=False,
            timeout=LONGEST_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def listening(self, line: str) -> Iterator[str]:
        """Address of a command that serves HTTP, while the block runs."""
        port, log = free_port(), self.scratch / f"{line.split(maxsplit=1)[0]}.log"
        command = [sys.executable, "-m", "api", *shlex.split(line), "--port", str(port)]
        with (
            log.open("w") as said,
            subprocess.Popen(command, env=self.environment(), cwd=self.scratch, stdout=said, stderr=said) as process,
        ):
            try:
                address = f"http://127.0.0.1:{port}"
                if not answers(address, process):
                    raise CannotRun(f"routelab {line}: does not answer\n{log.read_text()}")
                yield address
            finally:
                end(process)

    def masked(self, text: str) -> str:
        """A text without places and ports."""
        for path, name in ((self.scratch, "SCRATCH"), (self.code, "CHECKOUT")):
            text = text.replace(str(path), name)
        return ADDRESS.sub("127.0.0.1:PORT", text)

    def plain(self, value: Json) -> Json:
        """A value without places, ports and times; schemas of timed fields stay."""
        if isinstance(value, str):
            return self.masked(value)
        if isinstance(value, list):
            return [self.plain(one) for one in value]
        if isinstance(value, dict):
            kept = ((key, v) for key, v in value.items() if key not in TIMED or isinstance(v, dict | list))
            return {self.masked(key): self.plain(v) for key, v in kept}
        return value

    def lines(self, text: str) -> list[str]:
        """Lines of what people read."""
        return [line.rstrip() for line in self.masked(text).splitlines()]


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether a process answers in time, whatever it says."""
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            ask(address, "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def ask(address: str, path: str, body: Json = None) -> tuple[int, str, bytes]:
    """Status, type of content and content of one answer."""
    data = None if body is None else orjson.dumps(body)
    request = urllib.request.Request(address + path, data, {"content-type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=LONGEST_S) as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers.get_content_type(), refusal.read()


# --- recording -------------------------------------------------------------------------------------------------------


def record(code: Path, folder: Path) -> None:
    """Play every run against a checkout and write its answers."""
    started = time.perf_counter()
    scratch = folder / SCRATCH
    if scratch.exists():
        shutil.rmtree(scratch)
    scratch.mkdir(parents=True)
    for old in folder.glob("*.json"):
        old.unlink()
    checkout = Checkout(code, scratch)
    checkout.check()
    make_snapshots(checkout)
    for name in COMMANDS:
        save(folder, name, partial(played, checkout, name))
    with checkout.listening("serve") as address:
        for name in REQUESTS:
            save(folder, name, partial(asked, checkout, address, name))
    print(f"{len(NAMES)} runs in {time.perf_counter() - started:.0f} s, in {folder}")


def save(folder: Path, name: str, play: Callable[[], Json]) -> None:
    """Write the answers of one run and say how long they took."""
    started = time.perf_counter()
    content = {"skipped": f"{BANK_LOG} is not set"} if needs_bank(name) and not os.environ.get(BANK_LOG) else play()
    (folder / f"{name}.json").write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
    took = "skipped, " + content["skipped"] if "skipped" in content else f"{time.perf_counter() - started:.1f} s"
    print(f"[{NAMES.index(name) + 1:2}/{len(NAMES)}] {name}: {took}", flush=True)


def make_snapshots(checkout: Checkout) -> None:
    """Make all snapshots, one after the other: the order decides which is the newest."""
    sample = checkout.scratch / "sample"
    shutil.copytree(checkout.code / "data" / "sample", sample)
    write_rings(sample, checkout.scratch / "rings")
    log = os.environ.get(BANK_LOG)
    for name, line in SNAPSHOTS.items():
        started = time.perf_counter()
        if name == "bank" and not log:
            print(f"snapshot bank: skipped, {BANK_LOG} is not set", flush=True)
            continue
        if name == "week":
            with checkout.listening(DOUBLE) as address:
                make(checkout, line, GENESYS_BASE_URL=address, GENESYS_CLIENT_ID="demo", GENESYS_CLIENT_SECRET="demo")
        else:
            make(checkout, line.replace("LOG", shlex.quote(str(Path(log or "").resolve()))))
        print(f"snapshot {name}: {time.perf_counter() - started:.1f} s", flush=True)


def make(checkout: Checkout, line: str, **variables: str) -> None:
    """Make one snapshot."""
    done = checkout.routelab(line, **variables)
    if done.returncode:
        raise CannotRun(f"routelab {line}: exit code {done.returncode}\n{done.stderr}")


def played(checkout: Checkout, run: str) -> Json:
    """Answers of one run's command lines."""
    parts, text = {}, {}
    for part, line in COMMANDS[run].items():
        out = f"{OUT}/{run}/{part}"
        done = checkout.routelab(with_out(line, out) + " --json")
        printed = printed_by(checkout, done.stdout)
        files = files_in(checkout, checkout.scratch / out, printed)
        parts[part] = {"exit_code": done.returncode, "printed": printed, "files": files}
        text[f"{part}, standard error"] = checkout.lines(done.stderr)
    for part, line in TABLES.get(run, {}).items():
        text[part] = checkout.lines(checkout.routelab(with_out(line, f"{OUT}/{run}/{part}")).stdout)
    return {"parts": parts, "text": text}


def with_out(line: str, folder: str) -> str:
    """A command line that writes into a folder of its own, if it writes."""
    file = WRITES_OUT.get(line.split(maxsplit=1)[0])
    return line if file is None else f"{line} --out {folder}{'/' if file else ''}{file}"


def printed_by(checkout: Checkout, text: str) -> Json:
    """Printed JSON, or the lines of what is none."""
    try:
        return checkout.plain(orjson.loads(text))
    except orjson.JSONDecodeError:
        return checkout.lines(text)


def files_in(checkout: Checkout, folder: Path, printed: Json) -> Json:
    """What a command wrote, by file."""
    found: Json = {}
    for path in sorted(folder.glob("*")):
        if path.suffix == ".arrow":
            found[path.name] = columns_of(path)
        else:
            content = printed_by(checkout, path.read_text(encoding="utf-8"))
            found[path.name] = "as printed" if content == printed else content
    return found


def columns_of(path: Path) -> Json:
    """Number of rows, and a hash of the plain values of every column."""
    with ipc.open_file(path) as reader:
        table = reader.read_all()
    return {"rows": table.num_rows, "columns": {name: digest(table[name].to_pylist()) for name in table.column_names}}


def digest(values: Sequence[object]) -> str:
    """SHA-256 of values as Python writes them."""
    return hashlib.sha256("\n".join(map(repr, values)).encode()).hexdigest()


def asked(checkout: Checkout, address: str, run: str) -> Json:
    """Answers of one run's requests."""
    parts = {}
    for part, (path, body) in REQUESTS[run].items():
        status, kind, content = ask(address, path, body)
        parts[part] = {"status": status, "type": kind, "body": printed_by(checkout, content.decode())}
    return {"parts": parts, "text": {}}


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass
class Difference:
    """What differs in one run: paths with both values, paths that came new, lines of text; or why it was skipped."""

    skipped: str | None = None
    changed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def look(self, before: Json, after: Json, path: str = "") -> None:
        """Note what differs between two values and all that they hold."""
        if isinstance(before, dict) and isinstance(after, dict):
            for key in before:
                below = f"{path}.{key}" if path else str(key)
                if key in after:
                    self.look(before[key], after[key], below)
                else:
                    self.changed.append(f"{below}: {shown(before[key])} is gone")
            new = [key for key in after if key not in before]
            self.added += [f"{path}.{key}: {shown(after[key])}" if path else str(key) for key in new]
        elif isinstance(before, list) and isinstance(after, list):
            if len(before) != len(after):
                self.changed.append(f"{path}: {len(before)} entries, then {len(after)}")
            for n, (one, other) in enumerate(zip(before, after, strict=False)):
                self.look(one, other, f"{path}[{n}]")
        elif before != after or isinstance(before, bool) != isinstance(after, bool):
            self.changed.append(f"{path}: {shown_both(before, after)}")

    def look_at_text(self, before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> None:
        """Note lines that differ."""
        for name in dict.fromkeys((*before, *after)):
            lines = list(difflib.unified_diff(before.get(name, []), after.get(name, []), lineterm="", n=0))
            self.text += [f"{name}: {line}" for line in lines[2:] if not line.startswith("@@")]

    def tell(self, run: str) -> None:
        """Say what differs, the first of each kind."""
        if self.skipped is not None:
            print(f"{run}: skipped in both, {self.skipped}")
            return
        counts = ", ".join(f"{len(found)} {what}" for what, found in self._kinds() if found)
        print(f"{run}: {'DIFFERS' if self.changed else 'equal'}{f' ({counts})' if counts else ''}")
        for what, found in self._kinds():
            for line in found[:MOST_SHOWN]:
                print(f"    {what}: {line}")
            if len(found) > MOST_SHOWN:
                print(f"    {what}: and {len(found) - MOST_SHOWN} more")

    def _kinds(self) -> tuple[tuple[str, list[str]], ...]:
        return ("changed", self.changed), ("added", self.added), ("text", self.text)


def shown(value: Json) -> str:
    """A value in one short line."""
    return shortened(orjson.dumps(value).decode())


def shown_both(before: Json, after: Json) -> str:
    """Two values in one line, long ones from shortly before where they part."""
    texts = [orjson.dumps(value).decode() for value in (before, after)]
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    parting = sum(1 for _ in alike) - WIDEST // 4
    start = parting if parting > 0 and max(map(len, texts)) > WIDEST else 0
    return ", then ".join(("... " if start else "") + shortened(text[start:]) for text in texts)


def shortened(text: str) -> str:
    """A text, cut where it is too long for a line."""
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 4]} ..."


def compare(before: Path, after: Path) -> bool:
    """Say run by run what differs, and whether all is equal."""
    found = {}
    for folder in (before, after):
        if not any((folder / f"{name}.json").is_file() for name in NAMES):
            raise CannotRun(f"{folder}: holds no answers; record them first")
    for name in NAMES:
        found[name] = difference(read_answers(before, name), read_answers(after, name))
        found[name].tell(name)
    differ = [name for name, one in found.items() if one.changed]
    worded = [name for name, one in found.items() if one.text]
    skipped = [name for name, one in found.items() if one.skipped is not None]
    n_equal = len(NAMES) - len(differ) - len(skipped)
    print(f"{n_equal} of {len(NAMES)} runs equal; differing: {', '.join(differ) or 'none'}")
    print(f"skipped in both: {', '.join(skipped) or 'none'}")
    print(f"text differs in: {', '.join(worded) or 'none'}")
    return not differ


def difference(before: Json, after: Json) -> Difference:
    """What differs between the answers of one run."""
    found = Difference()
    if "skipped" in before and "skipped" in after:
        found.skipped = before["skipped"]
        return found
    if "skipped" in before or "skipped" in after:
        reasons = [content.get("skipped", "recorded") for content in (before, after)]
        found.changed.append(f"not compared: {', then '.join(reasons)}")
        return found
    found.look(before["parts"], after["parts"])
    found.look_at_text(before["text"], after["text"])
    return found


def read_answers(folder: Path, name: str) -> Json:
    """The recorded answers of one run."""
    path = folder / f"{name}.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else {"skipped": f"{path} is not there"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or compare, and give the exit code."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, first, second in (("record", "checkout", "outdir"), ("compare", "before", "after")):
        command = commands.add_parser(name)
        command.add_argument("first", metavar=first.upper(), type=Path)
        command.add_argument("second", metavar=second.upper(), type=Path)
    given = parser.parse_args(arguments)
    first, second = given.first.resolve(), given.second.resolve()
    try:
        if given.command == "compare":
            return 0 if compare(first, second) else 1
        record(first, second)
    except CannotRun as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
