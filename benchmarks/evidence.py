"""What limiting the candidates to pairs with evidence would miss, at subgroup level on real corpora.

    .venv/bin/python benchmarks/evidence.py

Reads the corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. Writes a dated table beside this
file. Of the pairs that never met up to a cutoff and did within three years after it: which share had evidence of each
kind on the cutoff, and which had none; beside the share of all pairs that never met. Texts by the hashing encoder,
which has read nothing. The background is another domain corpus: at subgroup level there is no whole office here.
"""

import dataclasses
import datetime
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from forecast import machine

from pipeline.background.summary import Summary, summarise
from pipeline.config import TaskConfig
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.encoders.base import patent_texts
from pipeline.encoders.hashing import HashingEncoder
from pipeline.errors import CorpusError
from pipeline.pairs.candidates import find_candidates
from pipeline.pairs.evidence import evidence
from pipeline.pairs.labels import outcomes

HERE = Path(__file__).resolve().parent
CASES = (
    ("green_aviation_patsnap", "ipc", (2017, 2018, 2019), "pizza_patentscope"),
    ("pizza_patentscope", "ipc", (2010, 2011, 2012), "dpl_google"),
    ("dpl_google", "ipc", (2009, 2010, 2011), "pizza_patentscope"),
    ("uspto_random_pygrams", "cpc", (2012, 2013, 2014), "dpl_google"),
)
KINDS = ("neighbour", "parent", "citation", "text", "background")
ROOM = 40_000_000  # candidates in all, as by default
MIN_PATENTS = (3, 1)


def main() -> None:
    data = Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"
    corpora = {name: ingest([data / f"{name}.parquet"]).corpus for name, *_ in CASES}
    rows = []
    backgrounds: dict[tuple[str, str], Summary | None] = {}
    for name, scheme, years, other in CASES:
        corpus = with_texts(corpora[name])
        if (other, scheme) not in backgrounds:
            backgrounds[other, scheme] = summary(corpora[other], scheme)
        outside = backgrounds[other, scheme]
        for least in MIN_PATENTS:
            for year in years if least == MIN_PATENTS[0] else years[-1:]:
                rows.append(measured(name, corpus, scheme, year, least, outside))
                print(rows[-1], flush=True)
    (HERE / "results" / "evidence.md").write_text(told(rows))


def summary(corpus: Corpus, scheme: str) -> Summary | None:
    try:
        return summarise(corpus, scheme, "subgroup")
    except CorpusError:  # it has no such codes
        return None


def with_texts(corpus: Corpus) -> Corpus:
    texts = patent_texts(corpus.patents)
    return corpus.with_embeddings(HashingEncoder(2000).encode(texts)) if any(texts) else corpus


@dataclasses.dataclass(frozen=True)
class Row:
    """``pairs``: that never met; ``new``: of them met later; by kind how many of either had it; seconds to find."""

    name: str
    codes: int
    least: int
    pairs: int
    new: int
    of_pairs: dict[str, int]
    of_new: dict[str, int]
    seconds: float


def measured(name: str, corpus: Corpus, scheme: str, year: int, least: int, outside: Summary | None) -> Row:
    history = corpus.as_of(pd.Timestamp(f"{year}-12-31").as_unit("s"))
    assert years_before(history.cutoff, -3) <= corpus.cutoff
    task = TaskConfig.model_validate({"scheme": scheme, "level": "subgroup", "min_patents": least})
    found = find_candidates(history, task)
    new = outcomes(corpus, found, task)
    clock = time.process_time()
    kinds = evidence(history, task, found.codes, ROOM // (5 * len(found.codes)), outside)
    spent = time.process_time() - clock
    above = {kind: found.among(sp.triu(pairs, k=1, format="csr")) for kind, pairs in kinds.items()}
    above["any"] = sp.csr_array(sum(above.values()) > 0)
    return Row(
        name=f"{name}, {year}",
        codes=len(found.codes),
        least=least,
        pairs=len(found),
        new=new.nnz,
        of_pairs={kind: pairs.nnz for kind, pairs in above.items()},
        of_new={kind: new.multiply(pairs).nnz for kind, pairs in above.items()},
        seconds=spent,
    )


def told(rows: list[Row]) -> str:
    lines = [
        "# Candidates limited to pairs with evidence, at subgroup level",
        "",
        f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d}, {machine()}. New links within three years. A cell: the "
        "share of the new links that had that evidence at the cutoff, and after the slash that of all pairs that never "
        "met. *missed*: new links without any. Reproduce with `python benchmarks/evidence.py`.",
        "",
        "| corpus, cutoff | min. patents | codes | pairs that never met | new links | a shared neighbour | "
        "parents that met | a citation | near texts | background | any | missed | CPU s |",
        "|---" * 13 + "|",
    ]
    for row in rows:
        cells = [
            f"{row.of_new[kind] / row.new:.2f} / {row.of_pairs[kind] / row.pairs:.3f}" if kind in row.of_new else "–"
            for kind in (*KINDS, "any")
        ]
        counts = f"{row.least} | {row.codes:,} | {row.pairs:,} | {row.new:,}"
        missed = 1 - row.of_new["any"] / row.new
        lines.append(f"| {row.name} | {counts} | {' | '.join(cells)} | **{missed:.1%}** | {row.seconds:.1f} |")
    for least in MIN_PATENTS:
        some = [row for row in rows if row.least == least]
        shares = [1 - row.of_new["any"] / row.new for row in some]
        ranked = [row.of_pairs["any"] / row.pairs for row in some]
        lines += [
            "",
            f"From {least} patents a code: missed {np.mean(shares):.1%} on average ({min(shares):.1%} to "
            f"{max(shares):.1%}), of {np.mean(ranked):.1%} of the pairs ranked.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
