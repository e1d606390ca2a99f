"""A simulated corpus of an office's size at main-group level, for ``benchmarks/scale.py``: codes, firms, citations.

    .venv/bin/python benchmarks/make_corpus.py OUT --patents 1000000

Writes a normal corpus folder, marked as simulated. Matched to real US patents (``uspto_random_pygrams``, CPC main
groups, and ``uspto_2007_2010``): how many main groups a patent carries; how unequally groups and subclasses are used
(Zipf); the share of joint patents within one subclass; how far the pairs of a patent keep to few partners. Growth of
the office, the drift of fields towards each other, firms and citations are plausible, not matched; there is no text.
With --compare FOLDER the statistics are printed beside those of the real corpora there.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.corpus.ingest import ingest, ingest_tables
from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.corpus.store import save_corpus
from pipeline.corpus.timeline import Corpus
from pipeline.corpus.titles import _table

GROUPS = 7500
FIRST_YEAR, YEARS = 2001, 20
GROWTH = 0.04  # of the office, a year
# share of patents with 1, 2, 3 ... main groups, in uspto_random_pygrams
SIZES = (0.483, 0.198, 0.115, 0.077, 0.051, 0.027, 0.020, 0.011, 0.008, 0.006, 0.004)
GROUP_EXPONENT = 1.15  # of the Zipf law within a subclass
SUBCLASS_SPREAD = 1.8  # standard deviation of the logarithm of a subclass's use
SAME_SUBCLASS = 0.55  # chance that a further code stays in the first one's subclass
ANYWHERE = 0.04  # chance that it comes from anywhere; else from a partner of the first one's subclass
DIMENSIONS, REACH = 6, 0.33  # of the space that subclasses drift in; distance at which partners become rare
DRIFT = 0.08  # of a subclass, a year
FIRMS, INVENTORS_A_FIRM = 40_000, 12
CITATIONS = 3.0  # to patents of the corpus, a patent
KNOWN = {"uspto_random_pygrams": ("cpc", "maingroup"), "uspto_2007_2010": ("ipc", "subclass")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--patents", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=GROUPS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--compare", type=Path)
    given = parser.parse_args()
    frame = simulated_patents(given.patents, given.groups, given.seed)
    frame = flat_table(frame).set_axis(pd.RangeIndex(1, len(frame) + 1))
    source = SourceTable(frame=frame, format="simulated", name=f"benchmarks/make_corpus.py, seed {given.seed}")
    ingested = ingest_tables([source])
    save_corpus(ingested, given.out, simulated=True)
    if given.compare:
        print(comparison(ingested.corpus, given.compare))


@dataclasses.dataclass(frozen=True)
class Groups:
    """The main groups: symbols, the subclass of each (a number), and its share of the subclass's patents."""

    symbols: np.ndarray
    subclass: np.ndarray
    share: np.ndarray

    def draw(self, subclass: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A main group of each of the subclasses."""
        cumulative = np.cumsum(self.share)
        low = np.concatenate([[0.0], cumulative])[np.searchsorted(self.subclass, subclass)]
        place = np.searchsorted(cumulative, low + rng.random(len(subclass)), side="right")
        last = np.searchsorted(self.subclass, subclass, side="right") - 1
        return np.minimum(place, last)


def simulated_patents(patents: int, groups: int, seed: int) -> pd.DataFrame:
    """Flat rows of so many patents, sorted by day; the same arguments give the same table."""
    rng = np.random.default_rng(seed)
    known, use = make_groups(groups, rng)
    year = np.sort(rng.choice(YEARS, size=patents, p=_normalised((1 + GROWTH) ** np.arange(YEARS))))
    size = 1 + rng.choice(len(SIZES), size=patents, p=_normalised(np.array(SIZES)))
    first = np.empty(patents, dtype=np.int64)
    owner = np.repeat(np.arange(patents), size)
    subclass = np.empty(len(owner), dtype=np.int64)
    position = rng.normal(size=(len(use), DIMENSIONS)) * 0.5
    trend = rng.normal(size=len(use)) * 0.04
    for number in range(YEARS):
        position = position + DRIFT * rng.normal(size=position.shape)
        popular = _normalised(use * np.exp(trend * number))
        rows = np.flatnonzero(year == number)
        first[rows] = rng.choice(len(use), size=len(rows), p=popular)
        codes = np.flatnonzero(year[owner] == number)
        subclass[codes] = further(first[owner[codes]], partners(position, popular), popular, rng)
    start = np.cumsum(size) - size
    subclass[start] = first
    code = known.draw(subclass, rng)
    day = pd.Timestamp(f"{FIRST_YEAR}-01-01") + pd.to_timedelta(
        (year * 365.25 + rng.random(patents) * 365).astype(int), unit="D"
    )
    ids = np.char.add("SIM", np.char.zfill(np.arange(1, patents + 1).astype(str), 8))
    firm, inventors = people(first, len(use), rng)
    return pd.DataFrame(
        {
            "patent_id": ids,
            "date": day.strftime("%Y-%m-%d"),
            "ipc": joined(known.symbols[code], size),
            "assignees": np.char.add("SIMULATED FIRM ", firm.astype(str)),
            "inventors": joined(np.char.add("INVENTOR ", inventors.astype(str)), np.full(patents, 2)),
            "cited_ids": joined(*citations(first, ids, rng)),
            "claims_count": (3 + rng.negative_binomial(3, 0.22, size=patents)).astype(str),
            "date_kind": "grant",
        }
    ).astype("str")


def make_groups(count: int, rng: np.random.Generator) -> tuple[Groups, np.ndarray]:
    """So many main groups over the real IPC subclasses, and the use of each subclass (sums to 1)."""
    names = np.array(sorted(code for code in _table() if len(code) == 4 and code[0] != "Y"))
    use = _normalised(np.exp(SUBCLASS_SPREAD * rng.normal(size=len(names))))
    # larger fields have more groups, if not in proportion
    held = 1 + np.floor((count - len(names)) * _normalised(np.sqrt(use))).astype(int)
    held[np.argsort(-use)[: count - held.sum()]] += 1
    subclass = np.repeat(np.arange(len(names)), held)
    number = np.arange(len(subclass)) - np.repeat(np.cumsum(held) - held, held)
    weight = (1.0 + number) ** -GROUP_EXPONENT
    share = weight / np.bincount(subclass, weight)[subclass]
    symbols = np.char.add(np.char.add(names[subclass], " "), np.char.add((number * 2 + 1).astype(str), "/00"))
    return Groups(symbols, subclass, share), use


def partners(position: np.ndarray, popular: np.ndarray) -> np.ndarray:
    """Chance of each subclass to be a partner of each (rows sum to 1): near ones, popular ones."""
    apart = ((position[:, None, :] - position[None, :, :]) ** 2).sum(axis=2)
    weight = np.exp(-apart / (2 * REACH**2)) * np.sqrt(popular)
    np.fill_diagonal(weight, 0.0)
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300))


def further(first: np.ndarray, partner: np.ndarray, popular: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A subclass for a further code of each patent, given the first one's."""
    chosen = first.copy()
    draw = rng.random(len(first))
    anywhere = draw < ANYWHERE
    chosen[anywhere] = rng.choice(len(popular), size=int(anywhere.sum()), p=popular)
    near = np.flatnonzero(draw >= ANYWHERE + SAME_SUBCLASS)
    order = near[np.argsort(first[near], kind="stable")]
    count = np.bincount(first[near], minlength=len(popular))
    for subclass, rows in enumerate(np.split(order, np.cumsum(count)[:-1])):
        if len(rows):
            chosen[rows] = rng.choice(len(popular), size=len(rows), p=_normalised(partner[subclass] + 1e-12))
    return chosen


def people(first: np.ndarray, subclasses: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A firm of each patent and two of its inventors; a firm is at home in a few subclasses."""
    size = _normalised((1.0 + np.arange(FIRMS)) ** -0.9)
    home = (np.arange(FIRMS) * 7919) % subclasses
    firm = rng.choice(FIRMS, size=len(first), p=size)
    local = rng.random(len(first)) < 0.7
    # of the firms at home in the subclass, every ``subclasses``-th in the list: one by a squared draw
    step = (rng.random(len(first)) ** 2 * (FIRMS // subclasses)).astype(int)
    inverse = np.argsort(home[:subclasses])
    firm = np.where(local, inverse[first % len(inverse)] + step * subclasses, firm)
    pool = 2 + (INVENTORS_A_FIRM * FIRMS * size[firm] ** 0.7).astype(int)
    return firm, (firm[:, None] * 10_000 + (rng.random((len(first), 2)) * pool[:, None]).astype(int)).ravel()


def citations(first: np.ndarray, ids: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cited ids and how many each patent has; three of four cite the same subclass, all an earlier patent."""
    order = np.argsort(first, kind="stable")  # within a subclass by day
    turn = np.empty(len(first), dtype=np.int64)
    begin = np.cumsum(np.bincount(first)) - np.bincount(first)
    turn[order] = np.arange(len(first)) - begin[first[order]]
    count = rng.poisson(CITATIONS, size=len(first))
    count[turn == 0] = 0
    citing = np.repeat(np.arange(len(first)), count)
    same = begin[first[citing]] + (turn[citing] * (1 - rng.random(len(citing)) ** 2)).astype(int)
    earlier = (citing * rng.random(len(citing))).astype(int)
    return ids[np.where(rng.random(len(citing)) < 0.75, order[same], earlier)], count


def joined(values: np.ndarray, counts: np.ndarray) -> list[str]:
    """Values joined by ``;``, so many a row."""
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), type=pa.int32())
    return pc.binary_join(pa.ListArray.from_arrays(ends, pa.array(values.tolist())), ";").to_numpy(False)


def comparison(corpus: Corpus, folder: Path) -> str:
    """Code statistics of the corpus beside those of the real ones in the folder, as a Markdown table."""
    columns = {}
    for name, (scheme, level) in KNOWN.items():
        if (path := folder / f"{name}.parquet").exists():
            real = ingest([path]).corpus
            columns[f"{name}, {level}"] = statistics(real, scheme, level)
            few = corpus.patents["patent_id"].sample(min(len(real.patents), len(corpus.patents)), random_state=0)
            kept = corpus.patents["patent_id"].isin(few)
            part = dataclasses.replace(
                corpus,
                patents=corpus.patents[kept].reset_index(drop=True),
                patent_codes=corpus.patent_codes[corpus.patent_codes["patent_id"].isin(few)].reset_index(drop=True),
            )
            columns[f"simulated, as many, {level}"] = statistics(part, "ipc", level)
    columns["simulated, maingroup"] = statistics(corpus, "ipc", "maingroup")
    rows = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    named = columns.values()
    rows += [f"| {key} | " + " | ".join(c[key] for c in named) + " |" for key in next(iter(named))]
    return "\n".join(rows)


def statistics(corpus: Corpus, scheme: str, level: str) -> dict[str, str]:
    incidence = corpus.incidence(scheme, level)
    size = np.diff(incidence.matrix.indptr)
    size = size[size > 0]
    use = np.sort(incidence.counts())[::-1]
    joint = incidence.joint().tocoo()
    subclass = incidence.codes.astype("U4")
    inside = subclass[joint.row] == subclass[joint.col]
    top = use.cumsum() / use.sum()
    return {
        "patents": f"{len(size):,}",
        "codes": f"{len(use):,}",
        "codes with 3 patents or more": f"{(use >= 3).sum():,}",
        "codes a patent": f"{size.mean():.2f}",
        "patents of 1, 2, 3, 4-6, more codes": " ".join(
            f"{((size >= low) & (size <= high)).mean():.3f}" for low, high in ((1, 1), (2, 2), (3, 3), (4, 6), (7, 99))
        ),
        "share of the most used 1, 10, 50 %": " ".join(f"{top[int(len(use) * q)]:.2f}" for q in (0.01, 0.1, 0.5)),
        "links": f"{joint.nnz // 2:,}",
        "links of one joint patent": f"{(joint.data == 1).mean():.2f}",
        "joint patents within a subclass": f"{joint.data[inside].sum() / joint.data.sum():.2f}",
    }


def _normalised(weight: np.ndarray) -> np.ndarray:
    return np.asarray(weight / weight.sum())


if __name__ == "__main__":
    main()
