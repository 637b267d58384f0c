"""Web services on loopback: they take only what the real ones publish, and fail when told to."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Body = dict[str, object]


class RefusalError(Exception):
    """Answer with a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Fault:
    """Go wrong on the next request of a method: before or after the request has had its effect.

    kind is a status to answer, "reset", "stall" until the client gives up, or "hold" until it is
    gone.
    """

    method: str
    kind: int | str
    after: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body | None


class Service:
    """A service; its subclasses say how it answers."""

    token = "s3cret-t0ken-of-the-tests"
    most = 100  # items on a page

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.held = threading.Event()
        self.url = ""

    def answer(self, request: Request) -> tuple[object, Mapping[str, str]]:
        """Return the body and the headers of the answer, or raise RefusalError."""
        raise NotImplementedError

    def sent(self, method: str) -> list[Request]:
        """Return the requests of a method."""
        return [r for r in self.requests if r.method == method]

    def complain(self, status: int, message: str) -> RefusalError:
        """Note that a client broke the interface, and refuse."""
        self.complaints.append(message)
        return RefusalError(status, message)

    def page(self, request: Request, items: list[Body]) -> tuple[object, Mapping[str, str]]:
        """Return one page of a list and a link to the next."""
        size, number = int(request.query.get("per_page", 2)), int(request.query.get("page", 1))
        if size > self.most:
            raise self.complain(400, f"per_page is at most {self.most}")
        rest = "&".join(f"{k}={v}" for k, v in request.query.items() if k != "page")
        last = max(1, -(-len(items) // size))
        pages = {"prev": number - 1, "next": number + 1, "first": 1, "last": last}
        links = ", ".join(
            f'<{self.url}{request.path}?{rest}&page={n}>; rel="{name}"'
            for name, n in pages.items()
            if 1 <= n <= last
        )
        return items[size * (number - 1) : size * number], {"Link": links}


class _Handler(BaseHTTPRequestHandler):
    service: Service

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        request = Request(
            self.command,
            parts.path,
            {k: v[-1] for k, v in parse_qs(parts.query).items()},
            {k.lower(): v for k, v in self.headers.items()},
            json.loads(data) if data else None,
        )
        self.service.requests.append(request)
        fault = next((f for f in self.service.faults if f.method == self.command), None)
        if fault is not None:
            self.service.faults.remove(fault)
        if fault is None or fault.after:
            status, body, headers = self._answered(request)
        if fault is None:
            self._write(status, body, headers)
        elif isinstance(fault.kind, int):
            # What a careless server does: it repeats what it was sent.
            said = f"trouble with {request.headers.get('authorization')} {self.service.token}"
            self._write(fault.kind, {"message": said}, fault.headers)
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            self.service.held.set()
            self.connection.settimeout(20)
            self.rfile.read(1)  # until the client is gone
            self.close_connection = True

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  the names that http.server calls

    def _answered(self, request: Request) -> tuple[int, object, Mapping[str, str]]:
        try:
            body, headers = self.service.answer(request)
        except RefusalError as refusal:
            return refusal.status, {"message": str(refusal)}, {}
        return (201 if self.command == "POST" else 200), body, headers

    def _write(self, status: int, body: object, headers: Mapping[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serve(service: Service) -> Iterator[Service]:
    """Run a service on loopback."""
    handler = type("Handler", (_Handler,), {"service": service, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def matched(pattern: str, path: str) -> list[str] | None:
    """Return the groups of a whole path, or None."""
    match = re.fullmatch(pattern, path)
    return list(match.groups()) if match else None
