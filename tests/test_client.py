"""The client against servers on this machine that speak, stammer, fall silent and hang up; through the real SDK."""

import base64
import gzip
import json
import logging
import os
import random
import shutil
import ssl
import subprocess
import sys
import threading
import traceback
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from engine.errors import InvalidScenario, RoutingError
from ingest.platform.breaker import Breaker
from ingest.platform.client import Client, Counts
from ingest.platform.credentials import Credentials
from ingest.platform.errors import AccessRefused, PlatformUnavailable, RequestRefused, unreachable
from ingest.platform.limiter import Limiter
from ingest.platform.network import Timeouts, _proxy_of
from ingest.platform.retry import Patience
from ingest.platform.sdk import load_sdk
from tests.platform_server import CORRELATION, Handler, Server, bad, drop, drop_chunks, drop_midway, ok, silence

SECRET = "Sup3r-hidden/Value+9"
QUEUES = "/api/v2/routing/queues"
JOBS = "/api/v2/analytics/conversations/details/jobs"


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def client_of():
    made = []

    def make(url, **options):
        time = Time()
        options = {"timeouts": Timeouts(2.0, 2.0), "patience": Patience(), "rng": random.Random(0), **options}
        made.append(Client(Credentials.of("my-id", SECRET, url), clock=time, sleep=time.sleep, **options))
        made[-1].time = time
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(server, client_of):
    return client_of(server.url)


def failing(call, *args, **kwargs):
    with pytest.raises(RoutingError) as caught:
        call(*args, **kwargs)
    return caught.value


# What is sent


def test_the_login_is_basic_and_a_form(server, client):
    client.get(QUEUES)
    method, path, headers, body = server.seen[0]
    assert (method, path) == ("POST", "/oauth/token")
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"my-id:{SECRET}".encode()).decode()
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {"grant_type": ["client_credentials"]}


def test_requests_carry_token_path_query_and_body(server, client):
    query = {"expand": ["skills", "languages"], "pageSize": 100, "joined": True, "name": None, "ids": [1, 2]}
    client.get(f"{QUEUES}/{{queueId}}/members", query, queueId="q 1&x")
    client.query("/api/v2/q", {"interval": "a/b", "n": None, "text": "\u00e9"})
    client.submit(JOBS, {})
    client.delete(f"{JOBS}/{{jobId}}", jobId="j1")
    get, post, submit, delete = server.seen[1:]
    url = urlsplit(get[1])
    assert url.path == f"{QUEUES}/q%201%26x/members"
    assert parse_qs(url.query) == {
        "expand": ["skills,languages"], "pageSize": ["100"], "joined": ["true"], "ids": ["1,2"],
    }  # fmt: skip
    assert post[0] == "POST" and json.loads(post[3]) == {"interval": "a/b", "n": None, "text": "\u00e9"}
    assert submit[:2] == ("POST", JOBS) and submit[3] == b"{}"
    assert delete[:2] == ("DELETE", f"{JOBS}/j1") and delete[3] == b""
    for _, _, headers, _ in server.seen[1:]:
        assert headers["Authorization"] == "Bearer t1"
        assert headers["Content-Type"] == headers["Accept"] == "application/json"
        assert headers["Accept-Encoding"] == "gzip"


def test_answers_come_as_they_were_sent(server, client):
    """Numbers keep their decimals, unknown names and nulls stay, and packed answers are unpacked."""
    answer = {"score": 87.5, "unknown": None, "text": "\u00e9", "list": [], "at": "2026-03-01T10:00:00.000Z"}
    packed = gzip.compress(json.dumps(answer).encode())
    server.answers = [ok(answer), (202, {"Content-Encoding": "gzip"}, packed), (201, {}, json.dumps(answer).encode())]
    assert [client.get(QUEUES), client.query(QUEUES, {}), client.submit(QUEUES, {})] == [answer] * 3


@pytest.mark.parametrize("value", ["", ".", "..", "a/b", "../users", "a\\b", None])
def test_a_value_that_leads_elsewhere_is_not_sent(server, client, value):
    assert isinstance(failing(client.get, f"{QUEUES}/{{queueId}}", queueId=value), RequestRefused)
    assert not server.seen


def test_a_path_and_its_values_must_fit(client):
    assert "no value for {queueId}" in str(failing(client.get, f"{QUEUES}/{{queueId}}"))
    assert "there is no jobId" in str(failing(client.get, QUEUES, jobId="j"))


def test_deleting_needs_no_answer_and_gone_is_gone(server, client):
    server.answers = [(204, {}, b""), bad(404), bad(410), bad(400)]
    for _ in range(3):
        client.delete("/x/{id}", id="1")
    assert failing(client.delete, "/x/{id}", id="1").status == 400


# The token


def test_one_login_serves_all_threads_and_calls(server, client):
    together(8, lambda _: [client.get(QUEUES) for _ in range(3)])
    assert (server.logins, len(server.calls())) == (1, 24)
    assert client.counted().requests == 25


def together(n, work):
    """Run work(0) ... work(n - 1) at the same moment; what each returned or raised."""
    barrier, out = threading.Barrier(n), [None] * n

    def one(i):
        barrier.wait(10)
        try:
            out[i] = work(i)
        except RoutingError as error:
            out[i] = error

    crew = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join(20)
    return out


def test_eight_threads_that_see_the_token_expire_renew_it_once(server, client):
    client.get(QUEUES)
    all_seen = threading.Barrier(8)

    def tell(method, path, headers, body):
        if path == "/oauth/token":
            server.logins += 1
            return ok({"access_token": f"t{server.logins}"})
        if headers["Authorization"] == "Bearer t1":
            all_seen.wait(10)  # nobody is refused before all have asked with the old one
            return bad(401, "authentication.required")
        return ok({"token": headers["Authorization"]})

    server.tell = tell
    assert together(8, lambda _: client.get(QUEUES)) == [{"token": "Bearer t2"}] * 8
    assert server.logins == 2
    assert client.counted() == Counts(requests=2 + 8 + 1 + 8, limited_s=client.counted().limited_s, token_renewals=1)


def test_a_submit_is_repeated_after_a_renewal(server, client):
    server.answers = [bad(401), ok({"jobId": "j1"})]
    assert client.submit(JOBS, {}) == {"jobId": "j1"}
    assert len(server.calls()) == 2


def test_a_second_401_is_final(server, client):
    server.answers = [bad(401), bad(401, "bad.token")]
    error = failing(client.get, QUEUES)
    assert type(error) is AccessRefused and error.status == 401 and "GENESYS_CLIENT_SECRET" in str(error)
    assert server.logins == 2 and not client.time.slept


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_credentials_are_said_at_once(server, client, status):
    server.login = [bad(status, "invalid_client")]
    error = failing(client.get, QUEUES)
    assert type(error) is AccessRefused and error.status == status
    assert "GENESYS_CLIENT_SECRET" in str(error) and "GENESYS_REGION" in str(error)
    assert server.logins == 1 and not server.calls()


@pytest.mark.parametrize(
    "answer",
    [bad(503), bad(429, **{"Retry-After": "2"}), drop, (200, {}, b"<html>"), ok({"token": "t"}), ok([]), ok(None),
     ok({"access_token": None}), ok({"access_token": "a\r\nX: y"}), ok({"access_token": ""}), (200, {}, b"\xff")],
)  # fmt: skip
def test_a_login_that_fails_for_the_moment_is_repeated_even_for_a_submit(server, client, answer):
    server.login = [answer, ok({"access_token": "good"})]
    assert client.submit(JOBS, {}) == {}
    assert server.logins == 2 and len(server.calls()) == 1
    assert server.seen[-1][2]["Authorization"] == "Bearer good"
    assert client.counted().lost_submits == 0


# Setbacks

MOMENTARY = [
    bad(408), bad(500), bad(502), bad(503), bad(504), drop, drop_midway, drop_chunks, (200, {}, b"<html>login</html>"),
    (200, {}, b""), (200, {}, b'{"a": 1'), ok([1]), ok(None), (200, {"Content-Encoding": "gzip"}, b"{}"),
]  # fmt: skip


@pytest.mark.parametrize("setback", MOMENTARY)
@pytest.mark.parametrize("way", ["get", "query"])
def test_reading_is_repeated_after_a_moment(server, client, way, setback):
    server.answers = [setback, setback, ok({"a": 1})]
    assert getattr(client, way)(QUEUES, {}) == {"a": 1}
    assert len(server.calls()) == 3
    assert client.counted().retries == 2 and len(client.time.slept) == 2


@pytest.mark.parametrize("setback", [*MOMENTARY, bad(501), bad(520)])
def test_a_submit_whose_answer_is_lost_is_sent_once(server, client, setback):
    server.answers = [setback]
    error = failing(client.submit, JOBS, {})
    assert type(error) is PlatformUnavailable and error.lost_submit
    assert "not known whether the job was made" in str(error)
    assert server.calls() == [("POST", JOBS)]
    assert (client.counted().lost_submits, client.time.slept) == (1, [])


@pytest.mark.parametrize("way", ["get", "submit"])
def test_too_many_requests_are_repeated_when_the_platform_says(server, client, way):
    server.answers = [bad(429, **{"Retry-After": "42"}), ok({"a": 1})]
    assert getattr(client, way)(QUEUES, {}) == {"a": 1}
    assert client.time.slept == [42.0]


def test_too_many_requests_without_a_time_are_repeated_with_backoff(server, client):
    server.answers = [bad(429), bad(429), ok({"a": 1})]
    assert client.submit(QUEUES, {}) == {"a": 1}
    assert len(client.time.slept) == 2 and sum(client.time.slept) <= 3


def test_a_submit_that_stays_limited_is_not_lost(server, client_of):
    client = client_of(server.url, patience=Patience(attempts=2))
    server.answers = [bad(429)] * 2
    error = failing(client.submit, JOBS, {})
    assert error.status == 429 and not error.lost_submit and client.counted().lost_submits == 0


def test_a_wait_of_hours_is_not_begun(server, client):
    server.answers = [bad(429, **{"Retry-After": "21600"})]
    error = failing(client.get, QUEUES)
    assert "wants 21600 s" in str(error) and error.retry_after_s == 21600.0
    assert not client.time.slept


def test_a_platform_that_stays_down_is_given_up(server, client):
    server.answers = [bad(503)] * 99
    error = failing(client.get, QUEUES)
    assert type(error) is PlatformUnavailable
    assert error.status == 503 or "answered 503" in str(error)
    assert "given up after" in str(error) and len(server.calls()) <= 8
    assert sum(client.time.slept) <= 120


def test_an_open_breaker_asks_nobody(server, client_of):
    client = client_of(server.url, breaker=Breaker(failures=2, open_s=1e6), patience=Patience(attempts=1))
    server.answers = [bad(503)] * 2
    for _ in range(2):
        failing(client.get, QUEUES)
    assert "not asked" in str(failing(client.submit, JOBS, {}))
    assert len(server.calls()) == 2 and client.counted().lost_submits == 0


def test_who_is_refused_by_the_breaker_neither_waits_nor_takes_a_place(server, client_of):
    taken = []
    client = client_of(server.url, breaker=Breaker(failures=1, open_s=1e6), patience=Patience(attempts=1))
    server.answers = [bad(503)]
    failing(client.get, QUEUES)
    client.limiter.take = lambda: taken.append(1) or 0.0
    client.limiter.pause(60.0)
    for _ in range(3):
        assert "not asked" in str(failing(client.get, QUEUES))
    assert not taken and not client.time.slept and client.counted().requests == 2


def test_an_allowance_that_is_used_up_is_said_and_is_no_failure_of_the_platform(server, client_of):
    time = Time()
    limiter = Limiter(longest_s=2.0, clock=time, sleep=time.sleep)
    client = client_of(server.url, limiter=limiter, breaker=Breaker(failures=1), patience=Patience(total_s=1.0))
    limiter.pause(40.0)
    error = failing(client.submit, JOBS, {})
    assert "limit on requests a minute is used up" in str(error) and not error.lost_submit
    assert (client.breaker.state, client.counted().requests, server.seen) == ("closed", 0, [])
    time.now = 40.0
    assert client.submit(JOBS, {}) == {}


def test_refusals_are_final_and_explained(server, client):
    server.answers = [
        bad(400, "bad.request", "Interval\x1b is\r\ntoo long."),
        bad(403, "missing.permissions", "You are missing: [routing:queue:view]"),
        bad(404, "not.found"),
        bad(413),
        (302, {"Location": "http://127.0.0.1:1/elsewhere", **CORRELATION}, b""),
    ]
    errors = [failing(client.get, f"{QUEUES}/{{queueId}}", queueId="q-secret-id") for _ in range(5)]
    assert [e.status for e in errors] == [400, 403, 404, 413, 302]
    assert all(e.correlation_id == "corr-1" and "corr-1" in str(e) for e in errors)
    assert all(f"GET {QUEUES}/{{queueId}}" in str(e) and "q-secret-id" not in str(e) for e in errors)
    assert "Interval is too long." in str(errors[0])
    assert type(errors[1]) is AccessRefused and errors[1].permission == "routing:queue:view"
    assert "shorter intervals" in str(errors[3]) and "GENESYS_BASE_URL" in str(errors[4])
    assert len(server.calls()) == 5 and client.counted().retries == 0


def test_silence_is_cut_short(server, client_of):
    client = client_of(server.url, timeouts=Timeouts(1.0, 0.2))
    server.answers = [silence, ok({"a": 1}), silence]
    assert client.get(QUEUES) == {"a": 1}
    error = failing(client.submit, JOBS, {})
    assert error.lost_submit and "did not answer in time" in str(error)


def test_nobody_there_is_said_with_the_host(client_of):
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as gone:
        port = gone.server_port
    client = client_of(f"http://127.0.0.1:{port}", patience=Patience(attempts=3))
    error = failing(client.submit, JOBS, {})
    assert "no connection to 127.0.0.1" in str(error) and "given up after 3 attempts" in str(error)
    assert not error.lost_submit
    assert error.__cause__ is None and error.__context__ is None  # it would quote what was sent


def test_one_thread_told_to_wait_holds_back_all(server, client):
    paused = []
    client.limiter.pause = paused.append
    server.answers = [bad(503, **{"Retry-After": "9"}), bad(429, **{"Retry-After": "42"})]
    client.get(QUEUES)
    assert paused == [42.0]


def test_the_allowance_is_learnt_from_answers(server, client):
    full = {"inin-ratelimit-count": "180", "inin-ratelimit-allowed": "180", "inin-ratelimit-reset": "30"}
    server.answers = [ok({}, **full)]
    client.get(QUEUES)
    assert client.limiter.allowed == 180 and not client.time.slept
    client.get(QUEUES)
    assert 30 <= sum(client.time.slept) <= 32
    assert client.counted().limited_s == pytest.approx(sum(client.time.slept))


@pytest.mark.parametrize(
    ("cause", "says", "sent", "hopeless"),
    [
        (ssl.SSLCertVerificationError(1, "self-signed"), "not trusted", False, True),
        (ssl.SSLError(1, "wrong version"), "no secure connection", True, False),
    ],
)
def test_certificates_that_are_not_trusted_stay_so(cause, says, sent, hopeless):
    error = unreachable("GET /x", "api.example.com", urllib3.exceptions.SSLError(cause), met=False)
    assert says in str(error) and "api.example.com" in str(error)
    assert (error.sent, error.hopeless) == (sent, hopeless)


def test_a_name_never_heard_of_is_not_waited_for():
    cause = urllib3.exceptions.NameResolutionError("h", None, OSError("x"))
    assert unreachable("GET /x", "api.example.com", cause, met=False).hopeless
    known = unreachable("GET /x", "api.example.com", cause, met=True)
    assert not known.hopeless and not known.sent and "api.example.com is not known" in str(known)


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl here to make a certificate with")
def test_a_certificate_of_somebody_else_is_not_accepted(server, client_of, tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    error = failing(client_of(f"https://127.0.0.1:{server.server_port}").get, QUEUES)
    assert "certificate of 127.0.0.1 is not trusted" in str(error) and not server.seen


# Proxies

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_the_named_proxy_is_used_with_its_password_and_without_telling_it(server, client_of, proxies):
    proxies.setenv("HTTPS_PROXY", f"http://user:p%40ss-hidden@127.0.0.1:{server.server_port}")
    server.tell = lambda *_: (407, {}, b"")
    error = failing(client_of("https://api.mypurecloud.ie", patience=Patience(attempts=1)).get, QUEUES)
    method, path, headers, _ = server.seen[0]
    assert (method, path) == ("CONNECT", "login.mypurecloud.ie:443")
    assert headers["proxy-authorization"] == "Basic " + base64.b64encode(b"user:p@ss-hidden").decode()
    assert "HTTPS_PROXY" in str(error) and "hidden" not in "".join(traceback.format_exception(error))
    assert not error.sent


def test_this_machine_is_never_asked_through_a_proxy(server, client, proxies):
    for name in PROXIES[:3]:
        proxies.setenv(name, "http://127.0.0.1:9")
    assert client.get(QUEUES) == {}


def test_which_hosts_go_through_a_proxy(proxies):
    proxies.setenv("https_proxy", "proxy.example.com:3128")
    proxies.setenv("no_proxy", "pure.cloud")
    assert _proxy_of("api.mypurecloud.ie") == "http://proxy.example.com:3128"
    assert _proxy_of("api.usw2.pure.cloud") is None
    proxies.delenv("https_proxy")
    assert _proxy_of("api.mypurecloud.ie") is None


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://[::1", "http://user:hidden@h:port"])
def test_a_proxy_that_cannot_be_used_is_said(client_of, proxies, proxy):
    proxies.setenv("HTTPS_PROXY", proxy)
    error = failing(client_of("https://api.mypurecloud.ie").get, QUEUES)
    assert type(error) is InvalidScenario and "HTTPS_PROXY" in str(error) and "hidden" not in str(error)


# Silence about secrets


def test_no_log_error_or_stream_shows_a_secret(server, client, caplog, capfd):
    client.get(QUEUES)
    caplog.set_level(1)
    for name in ("urllib3", "PureCloudPlatformClientV2", "routelab.ingest"):
        caplog.set_level(1, logger=name)
    basic = base64.b64encode(f"my-id:{SECRET}".encode()).decode()
    hidden = ["tok3n-hidden", SECRET, basic, "body-hidden"]
    told = []
    for setback in [*MOMENTARY, bad(400), bad(403), bad(429)]:
        # The token is refused once, so each round logs in too; the platform repeats what it was sent.
        login = json.dumps({"message": f"bad {SECRET} {basic}", "code": SECRET}).encode().replace(b"/", rb"\/")
        echo = json.dumps({"message": f"bad {hidden[0]} {SECRET} {basic}"}).encode()
        server.answers = [bad(401), setback, (400, {}, echo)]
        server.login = [(500, {}, login), (200, {}, f'{{"{hidden[0]}'.encode()), ok({"access_token": hidden[0]})]
        for way in ("query", "submit"):
            try:
                getattr(client, way)(JOBS, {"filter": hidden[3]})
            except RoutingError as error:
                told += [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
                chain = (error.__context__, error.__cause__)
                told += [f"{e!r} {vars(e)}" for e in chain if e]
    streams = capfd.readouterr()
    told += [caplog.text, streams.out, streams.err, repr(client), str(vars(client))]
    told += [str(record.__dict__) for record in caplog.records]
    assert len(caplog.records) > 20 and len(told) > 100
    for secret in (*hidden, "Bearer"):
        assert not [text for text in told if secret in text]


CHILD = """
import json, logging, sys, threading
urllib3_log = logging.getLogger("urllib3")
urllib3_log.setLevel(logging.INFO)
before = sorted(t.name for t in threading.enumerate())
from ingest.platform.client import Client
from ingest.platform.credentials import Credentials
heavy = ("PureCloudPlatformClientV2", "urllib3", "tenacity", "numpy", "polars", "orjson")
light = [name for name in heavy if name in sys.modules]
import os
environment = dict(os.environ)
client = Client(Credentials.of("my-id", "my-secret", sys.argv[1]))
answer = client.get("/api/v2/routing/queues")
sdk = logging.getLogger("PureCloudPlatformClientV2")
print(json.dumps({
    "answer": answer, "light": light, "environment": environment == dict(os.environ),
    "threads": sorted(t.name for t in threading.enumerate()) == before,
    "urllib3": [urllib3_log.level, urllib3_log.propagate, logging.getLogger("watchdog").propagate],
    "left": [name for name in sys.modules if name.startswith("PureCloud")],
    "handlers": len(sdk.handlers), "counted": vars(client.counted()),
}))
"""


def test_the_users_sdk_file_has_no_effect(server, tmp_path):
    """A gateway, a host and a log file in it change nothing; nothing watches it; modules, loggers, environment stay."""
    folder = tmp_path / ".genesyscloudpython"
    folder.mkdir()
    (folder / "config").write_text(
        "[general]\nhost = http://127.0.0.1:9\nlive_reload_config = true\n"
        "[gateway]\nhost = 127.0.0.1\nprotocol = http\nport = 9\n"
        f"[logging]\nlog_level = trace\nlog_file_path = {tmp_path}/sdk.log\nlog_request_body = true\n"
    )
    server.answers = [ok({"entities": [1]})]
    child = subprocess.run(
        [sys.executable, "-c", CHILD, server.url], env={**os.environ, "HOME": str(tmp_path)},
        cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert child.returncode == 0 and child.stderr == "", child.stderr
    assert json.loads(child.stdout) == {
        "answer": {"entities": [1]}, "light": [], "environment": True, "threads": True,
        "urllib3": [logging.INFO, True, True], "left": [], "handlers": 0,
        "counted": vars(Counts(requests=2)),
    }  # fmt: skip
    assert not (tmp_path / "sdk.log").exists()
    assert [path for _, path, _, _ in server.seen] == ["/oauth/token", QUEUES]


def test_a_gateway_that_somebody_else_gave_the_sdk_has_no_effect(server, client, client_of, monkeypatch):
    client.get(QUEUES)
    sdk = load_sdk()
    made = sdk.client.__init__.__globals__["GatewayConfiguration"]
    monkeypatch.setattr(sdk.configuration, "gateway_configuration", made(host="127.0.0.1", protocol="http", port=9))
    monkeypatch.setattr(sdk.configuration, "host", "http://127.0.0.1:9")
    assert client_of(server.url).get(QUEUES) == {}


def test_the_sdk_that_somebody_else_has_loaded_is_used(monkeypatch):
    """Two of them would keep two configurations."""
    theirs, wire = ModuleType("PureCloudPlatformClientV2"), ModuleType("PureCloudPlatformClientV2.abstract_http_client")
    theirs.ApiClient, wire.AbstractHttpClient = object(), object()
    theirs.configuration = SimpleNamespace(logger=SimpleNamespace())
    for module in (theirs, wire):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    found = load_sdk()
    assert (found.client, found.configuration) == (theirs.ApiClient, theirs.configuration)
    assert found.http_client is wire.AbstractHttpClient


def test_times_of_nothing_are_refused():
    for wrong in ((0.0, 1.0), (1.0, float("nan"))):
        with pytest.raises(InvalidScenario):
            Timeouts(*wrong)
