"""The flow of a watch: the forecast of a corpus that has grown, what changed, and word of it to whoever asked."""

from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.blocks.abstract import NotificationBlock
from prefect.blocks.core import Block

from flows.run import run_flow
from flows.storage import at_hand
from flows.tasks import HOUR, MINUTE, stage
from pipeline.artifacts import locked
from pipeline.errors import ConfigError
from pipeline.run_config import load_config
from pipeline.watch.digest import PAGE, TEXT
from pipeline.watch.plan import Plan, WatchRequest, plan_watch
from pipeline.watch.run import check_plan, clear, finish, tidy


@flow(name="watch", flow_run_name="watch-{corpus}", persist_result=False)
def watch_flow(
    corpus: str,
    out: str,
    firm: str | None = None,
    config: str | None = None,
    cutoff: str | None = None,
    notify: str | None = None,
    cluster: str | None = None,
) -> str:
    """Make the forecast that is due in the folder ``out`` and its digest; return what was done, in a line.

    Args:
        corpus: A corpus folder, which grows by ingest.
        out: Folder of the watch: its runs, its record, its digest.
        firm: The firm, its name as an assignee. Left out: the pairs of everybody.
        config: YAML file with the settings of the forecast.
        cutoff: Last day the forecast may see, as YYYY-MM-DD. Left out: the last day the corpus is complete for.
        notify: A notification block as TYPE/NAME, as in slack-webhook/team, which gets the digest's text. Left out, or
            where nothing was due: nobody is told.
        cluster: The address of a Dask scheduler whose workers compute the forecast. Left out: this machine.

    Raises:
        ConfigError: there is no such block; said before anything is computed.
        Others as ``pipeline.watch.run.watch``.
    """
    block = notification_block(notify) if notify else None
    with at_hand(corpus, out, config) as (corpus, out, config):
        settings = load_config(Path(config) if config else None, {})
        request = WatchRequest.model_validate({"corpus": corpus, "firm": firm, "config": settings, "cutoff": cutoff})
        with locked(Path(out)):
            plan = plan_watch(request, Path(out))
            if isinstance(plan, str):
                tidy(Path(out))
                get_run_logger().info(plan)
                return plan
            check_plan(plan)
            if not plan.made:
                clear(plan)
                values, parts = plan.request.model_dump(mode="json"), str(Path(out) / "parts")
                run_flow("forecast", values, str(plan.run), parts, cluster=cluster)
            said = digest(plan, out)
        if block is not None:
            tell(block, f"techconverge watch: {said}", (Path(out) / TEXT).read_text(encoding="utf-8"))
        return said


def notification_block(name: str) -> NotificationBlock:
    """A block that can notify, by ``TYPE/NAME``."""
    try:
        block = Block.load(name)
    except ValueError as error:
        raise ConfigError(f"no notification block {name}: make one, and name it TYPE/NAME") from error
    if not isinstance(block, NotificationBlock):
        raise ConfigError(f"{name} is no notification block: name one such as slack-webhook/NAME")
    return block


@stage("digest", "digest-{out}", 2 * HOUR)
def digest(plan: Plan, out: str) -> str:
    """What changed, and the digest of it, also on Prefect's page."""
    said = finish(plan, Path(out), get_run_logger().info)
    text = (Path(out) / TEXT).read_text(encoding="utf-8")
    create_markdown_artifact(key="digest", markdown=text, description=f"The page: {(Path(out) / PAGE).absolute()}")
    return said


@stage("notify", "notify", 10 * MINUTE)
def tell(block: NotificationBlock, subject: str, body: str) -> None:
    """Send the digest's text; where that fails the flow has failed, and the digest stands."""
    with block.raise_on_failure():
        sent: Any = block.notify(body=body, subject=subject)
    assert sent is None, f"{block.get_block_type_slug()} sends only where it is awaited"
