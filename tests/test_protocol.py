"""HTTP as bytes: what is no request is refused in the one shape, and nothing can be read in two ways."""

from __future__ import annotations

import json

import pytest

from api.errors import PROBLEM_JSON, MalformedRequest
from api.http.connections.body import Chunked
from api.http.connections.hosts import Hosts
from api.http.messages.problems import HEADERS
from tests.running_service import Answer, request, running
from tests.small_service import BODY, app_of, write_centre

HOST = b"Host: localhost\r\n"
POST = b"POST /simulate/routing HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    write_centre(store)
    with running(app_of(store), Hosts(["planning.example"])) as one:
        yield one


def refused(found: Answer, status: int) -> str:
    """The detail of an answer that fails, which has the one shape and ends its connection."""
    assert found.status == status, (found.status, found.body)
    assert found.headers["content-type"] == PROBLEM_JSON
    for name, value in HEADERS:
        assert found.headers[name.decode()] == value.decode()
    content = json.loads(found.body)
    assert content["status"] == status
    assert content["type"].startswith("/docs#")
    return content["detail"]


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "not TLS"),
        (b"GET /\r\n\r\n", 400, "first line"),
        (b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n", 400, "first line"),
        (b"GET / HTTP/1.1\n" + HOST + b"\r\n", 400, "carriage return"),
        (b"GET / HTTP/1.1\r\nHost: localhost\n\r\n", 400, "carriage return"),
        (b"GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n", 400, "a field of the head"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n z\r\n\r\n", 400, "on one line"),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400, "a field of the head"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: \0\r\n\r\n", 400, "a field of the head"),
        (b"GET / HTTP/1.1\r\n" + HOST + b": y\r\n\r\n", 400, "a field of the head"),
        (b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "first line"),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "first line"),
        (b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400, "begin with a slash"),
        (b"GET http://other/ HTTP/1.1\r\n" + HOST + b"\r\n", 400, "two different hosts"),
        (b"CONNECT other:80 HTTP/1.1\r\n" + HOST + b"\r\n", 501, "'CONNECT'"),
        (b"FROB / HTTP/1.1\r\n" + HOST + b"\r\n", 501, "'FROB'"),
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 501, "'get'"),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505, "HTTP/2.0"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "use HTTP/1.1"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "8192 bytes"),
        (b"GET /" + b"a" * 40_000, 414, "8192 bytes"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 40_000, 431, "32768 bytes"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 100 + b"\r\n", 431, "101 fields"),
        (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, "more than once"),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "send one of them"),
        (POST + b"Content-Length: +5\r\n\r\nhello", 400, "'+5'"),
        (POST + b"Content-Length: 5, 5\r\n\r\nhello", 400, "'5, 5'"),
        (POST + b"Content-Length: \xc2\xb2\r\n\r\n", 400, "number of bytes"),
        (POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 400, "number of bytes"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "use chunked"),
        (POST + b"Transfer-Encoding: identity\r\n\r\n", 501, "use chunked"),
        (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "more than once"),
        (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "HTTP/1.0"),
        (POST + b"Expect: the moon\r\n\r\n", 417, "'the moon'"),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", 400, "hexadecimal"),
        (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", 400, "hexadecimal"),
        (CHUNKED + b"5\nhello\n0\n\n", 400, "hexadecimal"),
        (CHUNKED + b"123456789\r\n", 400, "hexadecimal"),
        (CHUNKED + b"5;" + b"a" * 300, 400, "hexadecimal"),
        (CHUNKED + b"5\r\nhelloXX0\r\n\r\n", 400, "longer than its size"),
        (CHUNKED + b"0\r\nno field\r\n\r\n", 400, "no field"),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 1000, 400, "4096 bytes"),
        (CHUNKED + b"1\r\n \r\n" * 5000, 400, "tiny"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_with_the_reason_and_the_connection_ends(service, sent, status, words):
    with service.connect(sent) as client:
        assert words in refused(client.answer(), status)
        assert client.closed()


def test_after_a_refusal_nothing_that_follows_is_taken_for_a_request(service):
    """The second request stands in what one reader takes for a body, and another does not."""
    hidden = request("GET", "/healthz")
    sent = POST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (len(hidden) + 5) + hidden
    with service.connect(sent) as client:
        refused(client.answer(), 400)
        assert client.closed()


def test_hosts_that_are_ours_are_served_and_others_are_told_how_to_allow_them(service):
    port = service.port
    ours = [
        "localhost", f"LOCALHOST:{port}", "localhost.", "127.0.0.1", f"127.0.0.1:{port}", "127.8.8.8:1", "[::1]",
        f"[::1]:{port}", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "planning.example", "Planning.Example.:80",
        "localhost:",
    ]  # fmt: skip
    for host in ours:
        assert service.get(Host=host).status == 200, host
    strangers = [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "0.0.0.0",
        "10.0.0.1", "localhost:99999", "localhost:8000:8000", "a@localhost", "localhost/x", "[::2]", "[::1",
        "[localhost]",
        "localhost localhost", "..", "planning.example.evil", "2130706433",
    ]  # fmt: skip
    for host in strangers:
        assert "allowed_hosts" in refused(service.get(Host=host), 421), host


def test_a_host_is_named_exactly_once(service):
    assert "Host is missing" in refused(service.ask(b"GET /healthz HTTP/1.1\r\n\r\n"), 400)
    assert "Host is missing" in refused(service.ask(b"GET /healthz HTTP/1.0\r\n\r\n"), 400)
    assert "more than once" in refused(service.ask(b"GET /healthz HTTP/1.1\r\n" + 2 * HOST + b"\r\n"), 400)


def test_an_address_may_be_whole_where_its_host_is_ours(service):
    assert service.get("http://localhost/healthz").status == 200
    assert service.get("http://localhost").status == 307
    whole = request("GET", "http://evil.example/healthz", Host="evil.example")
    refused(service.ask(whole), 421)


def test_head_is_answered_as_get_is_without_a_body(service):
    for path in ("/healthz", "/readyz", "/snapshots", "/snapshots/centre", "/openapi.json", "/docs", "/static/docs.css",
                 "/nowhere", "/simulate/routing"):  # fmt: skip
        with service.connect(request("HEAD", path)) as client:
            bare = client.answer("HEAD")
            client.send(request("GET", path))
            # Were there a body, it would be taken for the head of this answer.
            whole = client.answer()
            assert bare.status == whole.status, path
            names = bare.headers.keys() - {"date", "content-length"}
            assert {name: bare.headers[name] for name in names} == {name: whole.headers[name] for name in names}
            assert abs(int(bare.headers["content-length"]) - len(whole.body)) < 40, path  # ages change


def test_options_says_what_a_path_offers(service):
    assert service.ask(request("OPTIONS", "/healthz")).headers["allow"] == "GET, HEAD, OPTIONS"
    assert service.ask(request("OPTIONS", "/static/docs.css")).headers["allow"] == "GET, HEAD, OPTIONS"
    found = service.ask(request("OPTIONS", "/simulate/batch"))
    assert (found.status, found.headers["allow"], found.body) == (204, "POST, OPTIONS", b"")
    assert service.ask(request("OPTIONS", "/nowhere")).status == 404
    assert service.ask(request("TRACE", "/healthz")).status == 405
    assert service.ask(request("DELETE", "/healthz")).headers["allow"] == "GET, HEAD"


def test_a_request_to_speak_something_else_is_answered_as_it_stands(service):
    """Some clients offer HTTP/2 with their first request (RFC 9110, section 7.8 lets a server go on)."""
    body = json.dumps(BODY).encode()
    for offer in ("h2c", "websocket"):
        sent = request("POST", "/simulate/routing", body, Connection="Upgrade, HTTP2-Settings", Upgrade=offer)
        with service.connect(sent) as client:
            assert client.answer().status == 200
            client.send(request("GET", "/healthz"))
            assert client.answer().status == 200


def test_a_client_may_wait_to_be_asked_for_the_body(service):
    body = json.dumps(BODY).encode()
    head = request("POST", "/simulate/routing", body, Expect="100-continue").removesuffix(body)
    with service.connect(head) as client:
        assert client.answer().status == 100
        client.send(body)
        assert client.answer().status == 200
    # A body that is refused by its head is not asked for.
    for sent in (head.replace(b"/simulate/routing", b"/nowhere"), head.replace(b"application/json", b"text/csv")):
        with service.connect(sent) as client:
            assert client.answer().status in {404, 415}
            assert client.closed()


def test_pipelined_requests_are_answered_in_their_order(service):
    body = json.dumps(BODY).encode()
    sent = (
        request("POST", "/simulate/routing", body) + b"\r\n" + request("GET", "/healthz") + request("GET", "/nowhere")
    )
    with service.connect(sent) as client:
        assert [client.answer().status for _ in range(3)] == [200, 200, 404]
    chunks = b"".join(b"%x;note=1\r\n%b\r\n" % (len(part), part) for part in (body[:50], body[50:]))
    with service.connect(CHUNKED + chunks + b"0\r\nTrailer: x\r\n\r\n" + request("GET", "/healthz")) as client:
        assert [client.answer().status for _ in range(2)] == [200, 200]


def test_the_last_answer_says_so(service):
    for sent in (request("GET", "/healthz", Connection="close"), b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n"):
        with service.connect(sent) as client:
            found = client.answer()
            assert (found.status, found.headers["connection"]) == (200, "close")
            assert client.closed()


def test_an_answer_that_comes_before_the_body_reaches_its_reader(service):
    """64 MiB are announced and partly sent to a path that is not there: the answer is read whole all the same."""
    with service.connect(request("POST", "/nowhere", b"", Content_Length=str(1 << 26))) as client:
        try:
            for _ in range(64):
                client.send(b" " * (1 << 16))
        except ConnectionError:
            pass
        assert client.answer().status == 404
        assert client.closed()


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_chunks_are_put_together_however_they_come(step):
    body, taken = Chunked(), b""
    sent, unread = b'5\r\nhello\r\nA;x="y"\r\n, world...\r\n000\r\na: b\r\n\r\nGET', bytearray()
    for at in range(0, len(sent), step):
        unread += sent[at : at + step]
        taken += body.take(unread)
    assert (taken, body.done) == (b"hello, world...", True)
    assert unread == b"GET"


@pytest.mark.parametrize(
    "sent", [b"\r\n", b";\r\n", b" 5\r\n", b"5 \r\n", b"g\r\n", b"5;\0\r\n", b"1\r\nab\r\n", b"\n"]
)
def test_a_broken_chunk_is_refused_at_once(sent):
    with pytest.raises(MalformedRequest):
        Chunked().take(bytearray(sent))
