"""How fast routing requests are answered over HTTP, by a service in a process of its own."""

from __future__ import annotations

import json
import os
import re
import selectors
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import quantiles

from benchmarks.measure import ROOT, NotMeasured, clock_s
from benchmarks.phases import Job
from ingest.synthetic import make

PHASE = "serve"
# Agents of the one queue asked for, and connections that ask.
WORKLOADS = {"requests": 1000}
N_CONNECTIONS = 4
N_INTERACTIONS, DAYS = 10_000, 7
NAME, HOST = "requests", "127.0.0.1"
FIRST_DAY = "2026-01-05"
# Names as the made-up centre has them.
BODY = {
    "queue_id": "q1", "required_skill": "accounts", "required_language": "English", "sla_target": "80/20",
    "current_performance": 0.8, "start_date": FIRST_DAY, "end_date": "2026-01-11",
}  # fmt: skip
READ_BYTES, LONGEST_S = 1 << 18, 60.0
END = b"\r\n\r\n"


def serve(n: int, agents: int, folder: Path, open_: ExitStack) -> Job:
    """Answer n routing requests, beside as many of /healthz over the same connections."""
    make(folder, NAME, interactions=N_INTERACTIONS, days=DAYS, agents=agents, queues=1, start=FIRST_DAY)
    port = _started(folder, open_)
    routing = _request("POST", "/simulate/routing", json.dumps(BODY).encode())
    cold_s = clock_s(lambda: ask(port, routing, 1, 1))
    runs: list[list[float]] = []

    def run() -> float:
        begun_s = time.perf_counter()
        runs.append(ask(port, routing, n))
        return time.perf_counter() - begun_s

    return Job(
        run,
        lambda: clock_s(lambda: ask(port, _request("GET", "/healthz"), n)),
        "/healthz",
        is_replay=True,
        # The first run is not counted, as in the ratios.
        p99_s=lambda: quantiles([took_s for one in runs[1:] or runs for took_s in one], n=100)[98],
        cold_s=cold_s,
    )


def ask(port: int, request: bytes, n: int, n_connections: int = N_CONNECTIONS) -> list[float]:
    """Send a request n times in all, each connection the next as soon as it has an answer; how long each took. [s]"""
    took_s: list[float] = []
    with ExitStack() as open_, selectors.DefaultSelector() as ready:
        for _ in range(min(n, n_connections)):
            client = open_.enter_context(closing(socket.create_connection((HOST, port), LONGEST_S)))
            client.sendall(request)
            ready.register(client, selectors.EVENT_READ, _Waiting(client))
        n_left = n - len(ready.get_map())
        while ready.get_map():
            some = ready.select(LONGEST_S)
            if not some:
                raise NotMeasured(f"the service gave no answer within {LONGEST_S:g} s")
            for key, _ in some:
                one: _Waiting = key.data
                if not one.is_answered():
                    continue
                took_s.append(time.perf_counter() - one.since_s)
                if n_left == 0:
                    ready.unregister(key.fileobj)
                    continue
                n_left -= 1
                one.again(request)
    return took_s


class _Waiting:
    """A connection on which an answer is awaited."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._came = b""
        self.since_s = time.perf_counter()

    def again(self, request: bytes) -> None:
        self._came = b""
        self.since_s = time.perf_counter()
        self._client.sendall(request)

    def is_answered(self) -> bool:
        some = self._client.recv(READ_BYTES)
        self._came += some
        head, end, body = self._came.partition(END)
        if not end and some:
            return False
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length is None or not head.startswith(b"HTTP/1.1 200"):
            raise NotMeasured(f"the service answered {self._came[:300]!r}")
        return len(body) == int(length[1])


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{fields}\r\n".encode() + body


def _started(store: Path, open_: ExitStack) -> int:
    """Start the service; the port at which it answers."""
    command = [sys.executable, "-m", "api", "serve", "--port", "0", "--store", str(store)]
    # Neither settings nor variables of whoever measures count.
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ROUTELAB_", "GENESYS_"))}
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env=own | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    open_.callback(running.communicate)
    open_.callback(running.terminate)
    assert running.stdout is not None
    said = running.stdout.readline()
    found = re.search(rf"http://{HOST}:(\d+)", said)
    if found is None:
        raise NotMeasured(f"the service did not start, but said {said!r}")
    return int(found[1])
