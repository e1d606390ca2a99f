"""The flow of a watch, with word of it sent through a block of Prefect's own to a server on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import names
from runs import FIRM, LIGHT, stored

from pipeline.corpus.readers import SourceTable
from pipeline.errors import ConfigError

pytestmark = pytest.mark.slow  # Prefect's temporary server takes its time to start

SETTINGS: dict[str, Any] = LIGHT | {
    "ensemble": {"members": ["logistic/none"], "training_origins": 1},
    "features": {"blocks": ["bibliometric", "network"]},
    "task": {"horizon": 1, "level": "class"},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("watch_flow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(base / "prefect"))
        patch.setenv("TECHCONVERGE_CACHE", str(base / "cache"))
        import flows  # noqa: F401  (settles Prefect's surroundings before Prefect is imported)

        yield base


@pytest.fixture(scope="module")
def received() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The address of a webhook, and what it was sent."""
    bodies: list[dict[str, str]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", bodies
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def block(place: Path, received: tuple[str, list[dict[str, str]]]) -> str:
    """A notification block that is stored under a name."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    hook = CustomWebhookNotificationBlock(
        name="team", url=received[0], json_data={"title": "{{subject}}", "text": "{{body}}"}
    )
    hook.save("team", overwrite=True)  # another module of this process may have stored one on the same server
    return "custom-webhook/team"


def test_the_digest_is_sent_once(
    place: Path, block: str, received: tuple[str, list[dict[str, str]]], sample_rows: SourceTable
) -> None:
    from flows.watch import watch_flow

    corpus, config = stored(sample_rows, place / "corpus"), place / "watch.yaml"
    config.write_text(yaml.safe_dump(SETTINGS))
    asked = {"corpus": str(corpus), "out": str(place / "watch"), "firm": FIRM, "config": str(config)}
    said = watch_flow(**asked, cutoff="2016-12-31", notify=block)
    assert said == f"{FIRM}, 2016-12-31: the first run of the watch"
    text = (place / "watch" / "digest.md").read_text(encoding="utf-8")
    assert received[1] == [{"title": f"techconverge watch: {said}", "text": text}]
    assert "parts" not in names(place / "watch")

    (place / "watch" / "parts" / "half").mkdir(parents=True)  # of a watch that was killed in its tidying
    again = watch_flow(**asked, cutoff="2016-12-31", notify=block)
    assert "parts" not in names(place / "watch")
    assert again.startswith("nothing new: the last run is of 2016-12-31")
    assert len(received[1]) == 1


@pytest.mark.parametrize("name", ["custom-webhook/nobody", "slack-webhook/nobody", "no/such/thing"])
def test_a_block_that_is_not_there_is_said_before_anything_is_computed(place: Path, block: str, name: str) -> None:
    from flows.watch import watch_flow

    with pytest.raises(ConfigError, match=f"no notification block {name}"):
        watch_flow(corpus=str(place / "none"), out=str(place / "never"), notify=name)
    assert not (place / "never").exists()


def test_a_block_that_cannot_notify_is_refused(place: Path, block: str) -> None:
    from prefect.blocks.system import Secret

    from flows.watch import notification_block

    Secret(value="x").save("word")
    with pytest.raises(ConfigError, match="is no notification block"):
        notification_block("secret/word")
