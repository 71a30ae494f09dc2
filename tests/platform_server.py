"""A server on this machine that speaks, stammers, falls silent and hangs up as a platform may."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CORRELATION = {"ININ-Correlation-Id": "corr-1"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, or each answer takes 40 ms longer

    def do_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = (self.command, self.path, dict(self.headers), body)
        self.server.seen.append(asked)
        answer = self.server.tell(*asked)
        if callable(answer):
            self.close_connection = True
            answer(self)
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_CONNECT = do_any  # noqa: N815

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Answers the login with t1, t2, ... and everything else from a list, then {}."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.answers, self.logins, self.login = [], [], 0, None
        self.over = threading.Event()
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def tell(self, method, path, headers, body):
        with self.lock:
            if path == "/oauth/token":
                self.logins += 1
                return self.login.pop(0) if self.login else ok({"access_token": f"t{self.logins}"})
            return self.answers.pop(0) if self.answers else ok({})

    def calls(self):
        return [(method, path) for method, path, _, _ in self.seen if path != "/oauth/token"]

    def stop(self):
        self.over.set()
        self.shutdown()
        self.server_close()


def ok(answer, **headers):
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(answer).encode()


def bad(status, code="some.code", message="Some words.", **headers):
    body = json.dumps({"status": status, "code": code, "message": message}).encode()
    return status, {**CORRELATION, **headers}, body


def drop(handler):
    """Hang up without a word."""
    handler.connection.close()


def drop_midway(handler):
    """Promise more than is sent; what is sent would pass as JSON."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}")
    handler.wfile.flush()
    handler.connection.close()


def drop_chunks(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    handler.wfile.flush()
    handler.connection.close()


def silence(handler):
    handler.server.over.wait(5)
