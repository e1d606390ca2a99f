"""One machine's scheduler: what it makes of runs that were going on when it was killed."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

pytestmark = pytest.mark.slow  # Prefect's temporary server takes its time to start


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    import flows  # noqa: F401  (settles Prefect's surroundings before Prefect is imported)

    yield tmp_path


def test_runs_that_nobody_runs_any_more_are_ended_and_leave_their_place_to_the_next(place: Path) -> None:
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.states import Completed, Pending, Running

    from flows.serve import _end_lost

    with get_client(sync_client=True) as client:
        name = client.create_flow(flow(lambda: None, name="alone"))
        alone = client.create_deployment(name, "alone", concurrency_limit=1)

        def begun() -> UUID:
            run = client.create_flow_run_from_deployment(alone)
            client.set_flow_run_state(run.id, Pending())
            client.set_flow_run_state(run.id, Running())
            return run.id

        def states(*runs: UUID) -> list[str]:
            return [client.read_flow_run(each).state.name for each in runs]

        done = begun()
        client.set_flow_run_state(done, Completed())
        lost, kept_out = begun(), begun()
        assert states(done, lost, kept_out) == ["Completed", "Running", "AwaitingConcurrencySlot"]
        _end_lost()
        assert states(done, lost, kept_out) == ["Completed", "Crashed", "AwaitingConcurrencySlot"]
        assert states(begun()) == ["Running"]
