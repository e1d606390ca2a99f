"""An OpenAI-compatible server on loopback, for tests and the benchmark: it counts, misbehaves and judges by script."""

import collections
import contextlib
import dataclasses
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it came in; ``number`` counts from 0, ``times`` how often the same body came before."""

    number: int
    times: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def system(self) -> str:
        return self.body["messages"][0]["content"]

    @property
    def user(self) -> str:
        return self.body["messages"][1]["content"]

    def passages(self) -> list[str]:
        """Ids of the passages, in the order shown."""
        return re.findall(r"^Passage (E-[0-9a-f]+),", self.user, flags=re.MULTILINE)

    def quotes(self) -> list[str]:
        """What stands in fences: the two topics first, then the passages."""
        return re.findall(r"^<data [0-9a-f]+>\n(.*)\n</data [0-9a-f]+>$", self.user, flags=re.MULTILINE)

    def outside(self) -> str:
        """The request without anything that stands in a fence."""
        return re.sub(r"^<data ([0-9a-f]+)>\n.*?\n</data \1>$", "", self.user, flags=re.MULTILINE | re.DOTALL)

    def digest(self) -> int:
        """A number that depends on the words of the request alone."""
        return int.from_bytes(hashlib.sha256((self.system + self.user).encode()).digest()[:8], "big")


@dataclasses.dataclass
class Act:
    """What the server does with a request. ``content``: the model's words, in a proper chat answer."""

    content: str | None = None
    status: int = 200
    raw: bytes | None = None  # in place of a chat answer
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    finish: str = "stop"
    refusal: str | None = None
    usage: bool = True
    wait: float = 0.0  # seconds before anything is sent
    drip: float = 0.0  # seconds between one byte and the next
    drop: bool = False  # break the connection in mid-answer


Script = Callable[[Request], Act]


def verdict(request: Request, score: int | None, reason: str = "as the passages say") -> Act:
    """A proper answer that cites the first passage."""
    return Act(json.dumps({"score": score, "evidence_ids": request.passages()[:1], "reason": reason}))


def fair(request: Request) -> Act:
    """A judge whose score depends on the words alone."""
    return verdict(request, request.digest() % 6)


@dataclasses.dataclass
class Server:
    """The running server, what it was asked, and how many requests it held at once."""

    url: str
    requests: list[Request]
    script: Script
    most_at_once: int = 0

    def counts(self) -> "collections.Counter[str]":
        """How often each body was sent."""
        return collections.Counter(json.dumps(request.body, sort_keys=True) for request in self.requests)


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Server]:
    """Run a server until the block ends."""
    lock = threading.Lock()
    at_once = 0
    seen: collections.Counter[str] = collections.Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            nonlocal at_once
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with lock:
                at_once += 1
                server.most_at_once = max(server.most_at_once, at_once)
                request = Request(len(server.requests), seen[text], json.loads(text), dict(self.headers))
                seen[text] += 1
                server.requests.append(request)
            try:
                act = server.script(request)
                time.sleep(act.wait)
            finally:
                with lock:  # before the answer leaves: the client may send the next at once
                    at_once -= 1
            with contextlib.suppress(OSError):
                self.answer(act, request)

        def answer(self, act: Act, request: Request) -> None:
            data = act.raw if act.raw is not None else chat_answer(act, request)
            self.send_response(act.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), **act.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if act.drop:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif act.drip:
                for place in range(len(data)):
                    self.wfile.write(data[place : place + 1])
                    self.wfile.flush()
                    time.sleep(act.drip)
            else:
                self.wfile.write(data)

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *args: Any) -> None:
            pass

    http = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_port}/v1", [], script)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def chat_answer(act: Act, request: Request) -> bytes:
    message = {"role": "assistant", "content": act.content, "refusal": act.refusal}
    answer: dict[str, Any] = {
        "id": f"chat-{request.number}",
        "object": "chat.completion",
        "created": 1,
        "model": request.body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": act.finish}],
    }
    if act.usage:
        tokens_in = (len(request.system) + len(request.user)) // 4
        tokens_out = len(act.content or "") // 4 + 1
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        answer["usage"] = usage
    return json.dumps(answer).encode()
