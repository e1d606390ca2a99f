"""A server on loopback that behaves as it is told to, request by request."""

import dataclasses
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclasses.dataclass
class Reply:
    """What is sent. A length other than that of the body is a lie; after ``sent`` bytes of the body it breaks off."""

    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    length: int | None = None
    sent: int | None = None


@dataclasses.dataclass
class Request:
    path: str
    headers: Message
    method: str = "GET"
    body: bytes = b""


Behaviour = Callable[[Request, int], Reply]  # the request, and how many came before it


class Server:
    """Requests received, and the address."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.requests: list[Request] = []
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:  # noqa: N805
                sent = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
                request = Request(handler.path, handler.headers, handler.command, sent)
                with lock:
                    number = len(self.requests)
                    self.requests.append(request)
                reply = behaviour(request, number)
                handler.send_response(reply.status)
                for name, value in reply.headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
                handler.end_headers()
                handler.wfile.write(reply.body[: reply.sent])
                if reply.sent is not None or reply.length is not None:
                    handler.close_connection = True

            do_POST = do_GET  # noqa: N815

            def log_message(handler, *arguments: object) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    server = Server(behaviour)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def honest(body: bytes, request: Request, etag: bool = True, modified: str = "") -> Reply:
    """A server that knows ranges, conditions and validators."""
    headers = {"Accept-Ranges": "bytes"}
    if etag:
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if modified:
        headers["Last-Modified"] = modified
    if etag and request.headers.get("If-None-Match") == headers["ETag"]:
        return Reply(304, headers)
    if modified and request.headers.get("If-Modified-Since") == modified:
        return Reply(304, headers)
    span = request.headers.get("Range")
    if span and request.headers.get("If-Range") in (headers.get("ETag"), modified):
        start = int(span.removeprefix("bytes=").rstrip("-"))
        if start >= len(body):
            return Reply(416, {"Content-Range": f"bytes */{len(body)}"})
        headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Reply(206, headers, body[start:])
    return Reply(200, headers, body)
