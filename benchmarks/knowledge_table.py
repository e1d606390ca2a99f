"""The table of the knowledge base benchmark, from what its parts measured."""

import datetime
from typing import Any

from forecast import machine


def table(results: dict[str, Any], chunks: int, depths: tuple[int, ...]) -> str:
    """Markdown, dated."""
    head = [
        "# Knowledge base benchmark",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}, shared with other work: processor time "
        f"beside the wall's. Load average before and after each part: {_load(results)}. Reproduce with "
        f"`{_command(results, chunks)}`.",
        "",
    ]
    parts = [
        *_volume(results, chunks),
        *_queries(results),
        *(_recall(results["recall"], depths) if "recall" in results else []),
    ]
    return "\n".join([*head, *parts])


def _volume(results: dict[str, Any], chunks: int) -> list[str]:
    added, exact, chroma = results["add"], results["exact"], results.get("chroma")
    rows = [
        ("add, all of it", _rate(added["whole"], chunks)),
        ("of which Parquet files, committed", _rate(added["stored"], chunks)),
        ("of which search arrays: vectors, words", _rate(added["indexed"], chunks)),
        ("add one more chunk to them", _seconds(added["one_more"])),
        *([("Chroma's index over them", _rate(chroma["built"], chunks))] if chroma else []),
        ("open, every hash and the schema checked", _seconds(exact["open"])),
        ("on disk: Parquet", f"{added['parquet_mb']:.0f} MB"),
        (
            "on disk: search arrays",
            f"{added['search_mb']:.0f} MB, of which vectors, float16 and a byte a component, "
            f"{added['vectors_mb']:.0f} MB",
        ),
        *([("on disk: Chroma", f"{chroma['chroma_mb']:.0f} MB")] if chroma else []),
        ("memory that opening takes, after all questions", f"{exact['opened_mb']:.0f} MB, {exact['asked_mb']:.0f} MB"),
        *([("memory that building and asking Chroma takes beside", f"{chroma['asked_mb']:.0f} MB")] if chroma else []),
    ]
    return [
        f"## {chunks:,} chunks of 384 dimensions, vectors given",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
    ]


def _queries(results: dict[str, Any]) -> list[str]:
    exact, chroma = results["exact"], results.get("chroma")
    head = ["share of chunks the cutoff lets through", "hybrid, 25 words", "hybrid, whole abstract", "dense, exact"]
    head += ["dense, Chroma", "of the exact ten, Chroma finds"] if chroma else []
    lines = [
        f"Milliseconds a question (200 each{', 25 of Chroma' if chroma else ''}), p50 / p95 by the wall, p95 of the "
        "processor; filtered by cutoff and firm, the vector of the question given. Hybrid: 12 pieces of evidence as "
        "the judge gets them, over exact search.",
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
    ]
    for share in exact["short"]:
        cells = [_latency(exact[name][share]) for name in ("short", "long", "dense")]
        cells += [_latency(chroma["dense"][share]), f"{chroma['found'][share]:.3f}"] if chroma else []
        lines.append(f"| {float(share):.0%} | {' | '.join(cells)} |")
    return [*lines, "", *_verdict(exact, chroma)]


def _verdict(exact: dict[str, Any], chroma: dict[str, Any] | None) -> list[str]:
    """Which index is the default, and that this is why."""
    if chroma is None:
        return [
            "Exact search is the default, chosen where Chroma was measured beside it: [knowledge.md](knowledge.md), "
            "[knowledge-300000.md](knowledge-300000.md).",
            "",
        ]
    times = [chroma["dense"][share]["cpu95"] / exact["dense"][share]["cpu95"] for share in exact["dense"]]
    faster = "the faster" if min(times) > 1 else "not the faster everywhere"
    return [
        f"Hybrid over Chroma, 25 words, 70 %: {_latency(chroma['short'])}.",
        "",
        f"Exact search is the default: here it is {faster}, by {min(times):.1f} to {max(times):.0f} times in processor "
        "time at the 95th percentile, and misses nothing.",
        "",
    ]


def _recall(recall: dict[str, Any], depths: tuple[int, ...]) -> list[str]:
    lines = [
        "## Citations found again",
        "",
        f"dpl_google, {recall['patents']:,} patents. Question: title and abstract of a patent, as of its own day. "
        f"Relevant: the patents of the corpus that it cites ({recall['citations']:,} citations of "
        f"{recall['queries']:,} patents). Mean share of them among the first k patents found, itself left out, with "
        "95 % intervals over patents; the last row of each encoder is paired.",
        "",
        f"| encoder | ranking | {' | '.join(f'recall@{k}' for k in depths)} |",
        "|---|---|" + "---|" * len(depths),
    ]
    for encoder in ("minilm", "hashing"):
        rows = {name: value for name, value in recall[encoder].items() if name != "chunks"}
        for name, values in rows.items():
            sign = "+" if name.startswith("fused less") else ""
            cells = (f"{mean:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})" for mean, low, high in values)
            lines.append(f"| {encoder} | {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _load(results: dict[str, Any]) -> str:
    return ", ".join(f"{name} {part['load'][0]:.1f} and {part['load'][1]:.1f}" for name, part in results.items())


def _command(results: dict[str, Any], chunks: int) -> str:
    return "make benchmark-knowledge" if "recall" in results else f"python benchmarks/knowledge.py {chunks}"


def _rate(seconds: dict[str, float], chunks: int) -> str:
    return f"{_seconds(seconds)}: {chunks / seconds['wall']:,.0f} a second"


def _seconds(seconds: dict[str, float]) -> str:
    return f"{seconds['wall']:.1f} s ({seconds['cpu']:.1f} s of the processor)"


def _latency(values: dict[str, float]) -> str:
    return f"{values['p50']:.0f} / {values['p95']:.0f} ({values['cpu95']:.0f})"
