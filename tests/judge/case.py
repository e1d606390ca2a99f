"""A judgement of a few opportunities against a scripted server."""

from pathlib import Path
from typing import Any

from judge.server import Script, Server, serving
from judge.tables import CUTOFF, passages, topics_and_opportunities

from pipeline.judge.config import JudgeConfig
from pipeline.judge.evidence import Retrieve
from pipeline.judge.panel import Judgement, judge_opportunities

TWO = Path(__file__).parent / "two_criteria"  # a rubric of feasibility and need alone: a seventh of the calls less


def config_for(url: str, **changes: Any) -> JudgeConfig:
    settings = {"judges": ("openai:scripted",), "base_url": url, "rubric": TWO, "repeats": 2, "backoff": 0.01}
    return JudgeConfig(**{**settings, **changes})


def judge(server: Server, folder: Path, count: int = 2, retrieve: Retrieve = passages, **changes: Any) -> Judgement:
    """Judge ``count`` opportunities by two criteria, twice, the answers kept in ``folder``."""
    topics, opportunities = topics_and_opportunities(count)
    config = config_for(server.url, **changes)
    return judge_opportunities(
        opportunities, topics, retrieve, CUTOFF, config, folder / "answers", transcript=folder / "transcript.jsonl"
    )


def judged_by(script: Script, folder: Path, count: int = 2, **changes: Any) -> tuple[Judgement, Server]:
    """``judge`` by a server that runs for it alone."""
    with serving(script) as server:
        return judge(server, folder, count, **changes), server
