"""The knowledge base benchmark: many chunks added and asked, Chroma beside exact search, and recall of citations.

    .venv/bin/python benchmarks/knowledge.py [CHUNKS]

Reads corpora from $TECHCONVERGE_REAL_DATA, or ../shared/data beside the project. Vectors of ``dpl_google`` are kept in
$TECHCONVERGE_CACHE. The chunks (100,000 unless told) are halves of real abstracts, with vectors drawn around 200
centres, so that encoding takes no part. Each part is a process of its own, for its memory. Chroma takes part up to
300,000 chunks. Writes a dated table beside this file.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from knowledge_table import table

from pipeline.config import EncoderConfig, KnowledgeConfig
from pipeline.corpus.ingest import ingest
from pipeline.corpus.timeline import Corpus
from pipeline.encoders.cache import encode_cached
from pipeline.knowledge import coarse
from pipeline.knowledge import retrieve as retrieval
from pipeline.knowledge.chroma import FOLDER as CHROMA
from pipeline.knowledge.chunks import patent_chunks
from pipeline.knowledge.dense import PATENTS, ExactIndex
from pipeline.knowledge.derived import build_derived
from pipeline.knowledge.retrieve import Base, fused, open_base, rankings, retrieve
from pipeline.knowledge.store import Manifest, commit, in_order, load_chunks, load_manifest, locked, replace_sources
from pipeline.knowledge.update import Encoding, add, open_encoding
from pipeline.parts import cache_folder

HERE = Path(__file__).resolve().parent
CHUNKS = 100_000
DIMENSION = 384
CENTRES = 200
QUERIES = 200
OF_CHROMA = 25  # of them asked of Chroma, which takes long over each
WITH_CHROMA = 300_000  # chunks; of a million a quarter was indexed in 15 minutes of two busy cores
SHARES = (0.03, 0.3, 0.7, 1.0)  # of the chunks that the cutoffs asked for let through
FIRMS = ("alpha", "beta", "gamma")
DEPTHS = (10, 20, 50, 100)
ENCODERS = ("minilm", "hashing")
CORPORA = ("dpl_google", "uspto_random_pygrams", "nuclear_g21_patentsview")


class Given:
    """Vectors that are there already: those of the chunks by their text."""

    identity = "given"
    dimension = DIMENSION
    knows_future = False
    max_characters = 2000
    chunk = 2000

    def __init__(self, vectors: dict[str, np.ndarray]) -> None:
        self.vectors = vectors

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of the texts."""
        return np.array([self.vectors[text] for text in texts], dtype=np.float32).reshape(-1, DIMENSION)


class Kept:
    """An encoder whose vectors are kept."""

    knows_future = True
    max_characters = 2000
    chunk = 2000

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.identity = encoding.encoder.identity
        self.dimension = encoding.encoder.dimension

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of the texts."""
        return encode_cached(self.encoding.encoder, texts, self.encoding.cache)[0]


def main() -> None:
    global CHUNKS
    if len(sys.argv) > 2:
        name, folder, count = sys.argv[1:]
        CHUNKS = int(count)
        before = os.getloadavg()[0]
        result = PARTS[name](Path(folder))
        print(json.dumps(result | {"peak_mb": peak_mb(), "load": [before, os.getloadavg()[0]]}))
        return
    if len(sys.argv) > 1:
        CHUNKS = int(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        left_out = {"recall"} if len(sys.argv) > 1 else set()
        left_out |= {"chroma"} if CHUNKS > WITH_CHROMA else set()
        results = {name: in_own_process(name, folder) for name in PARTS if name not in left_out}
    name = "knowledge.md" if len(sys.argv) == 1 else f"knowledge-{CHUNKS}.md"
    (HERE / "results" / name).write_text(table(results, CHUNKS, DEPTHS), encoding="utf-8")


def in_own_process(name: str, folder: str) -> dict[str, Any]:
    print(name, file=sys.stderr, flush=True)
    said = subprocess.run(
        [sys.executable, __file__, name, folder, str(CHUNKS)], stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, Any] = json.loads(said.stdout.splitlines()[-1])
    print(result, file=sys.stderr, flush=True)
    return result


def add_all(folder: Path) -> dict[str, Any]:
    """Chunks and vectors to a base that can be searched."""
    chunks = many_chunks()
    vectors = vectors_of(chunks)
    base = folder / "base"
    manifest = Manifest(encoder=EncoderConfig(model="hashing"), encoder_identity="given", dimension=DIMENSION)
    given = Given(vectors)
    with locked(base), timed() as whole:
        with timed() as stored:
            files = replace_sources(base, manifest, (), chunks, given.encode)
            manifest = manifest.model_copy(update={"files": files})
            commit(base, manifest)
        with timed() as indexed:
            build_derived(base, manifest, load_chunks(base, manifest))
    one = chunks.iloc[:1].assign(source="one more", chunk_id="f" * 16, text="one more text")
    given.vectors["one more text"] = given.vectors[chunks["text"].iloc[0]]
    with locked(base), timed() as again:
        files = replace_sources(base, manifest, (), one, given.encode)
        commit(base, manifest.model_copy(update={"files": files}))
        manifest = load_manifest(base)
        build_derived(base, manifest, load_chunks(base, manifest))
    return {
        "whole": whole,
        "stored": stored,
        "indexed": indexed,
        "one_more": again,
        "parquet_mb": size_mb(base / "chunks"),
        "search_mb": size_mb(base / "search"),
        "vectors_mb": sum(size_mb(base / "search" / f"{name}.npy") for name in ("vectors", *coarse.ARRAYS)),
    }


def ask_exact(folder: Path) -> dict[str, Any]:
    """Hybrid queries, and their dense half alone, over exact search."""
    chunks = many_chunks()
    given = Given(vectors_of(chunks))
    before = now_mb()
    with timed() as opened:
        base = open_base(folder / "base", given)
    result = {"open": opened, "opened_mb": now_mb() - before}
    short, long = questions(chunks, 25), questions(chunks, 200)
    for name, texts in (("short", short), ("long", long)):
        given.vectors |= {text: given.vectors[whole] for text, whole in texts}
        result[name] = {
            share: latencies(lambda text, day: retrieve(base, text, day, {"alpha"}, 12), texts, cutoff(chunks, share))
            for share in SHARES
        }
    result["dense"] = {share: dense_latencies(base, short, cutoff(chunks, share)) for share in SHARES}
    return result | {"asked_mb": now_mb() - before}


def ask_chroma(folder: Path) -> dict[str, Any]:
    """The dense half over Chroma: built, opened, asked, and compared with exact search."""
    chunks = many_chunks()
    given = Given(vectors_of(chunks))
    exact = open_base(folder / "base", given)
    before = now_mb()
    with timed() as built:
        base = open_base(folder / "base", given, KnowledgeConfig(index="chroma"))
    short = questions(chunks, 25)[:OF_CHROMA]
    given.vectors |= {text: given.vectors[whole] for text, whole in short}
    result: dict[str, Any] = {"built": built, "chroma_mb": size_mb(folder / "base" / CHROMA), "dense": {}, "found": {}}
    for share in SHARES:
        day = cutoff(chunks, share)
        result["dense"][share] = dense_latencies(base, short, day)
        result["found"][share] = agreement(exact, base, short, day)
    result["short"] = latencies(lambda text, day: retrieve(base, text, day, {"alpha"}, 12), short, cutoff(chunks, 0.7))
    return result | {"asked_mb": now_mb() - before}


def recall(folder: Path) -> dict[str, Any]:
    """Share of a patent's citations within the corpus among the first patents found for its text, as of its day."""
    corpus = ingest([data() / "dpl_google.parquet"]).corpus
    wanted = citations_within(corpus)
    patents = corpus.patents.set_index("patent_id").loc[list(wanted)]
    texts = (patents["title"] + ". " + patents["abstract"]).tolist()
    result: dict[str, Any] = {
        "patents": len(corpus.patents),
        "queries": len(wanted),
        "citations": sum(map(len, wanted.values())),
    }
    for model in ENCODERS:
        encoding = open_encoding(EncoderConfig(model=model), cache_folder())
        account = add(folder / model, corpus, "benchmark", [], "", None, encoding, lambda message: None)
        base = open_base(folder / model, Kept(encoding))
        shares: dict[str, list[list[float]]] = {}
        for (patent, cited), text in zip(wanted.items(), texts, strict=True):
            for name, order in orders(base, text, patents.loc[patent, "knowledge_date"]).items():
                found = [source for source in dict.fromkeys(base.chunks["source"].iloc[order]) if source != patent]
                shares.setdefault(name, []).append([len(cited & set(found[:k])) / len(cited) for k in DEPTHS])
        result[model] = {"chunks": account.manifest.chunks} | {name: intervals(rows) for name, rows in shares.items()}
        best = max(("dense", "bm25"), key=lambda name: np.mean(shares[name], axis=0)[1])
        lead = np.array(shares["fused"]) - np.array(shares[best])
        result[model]["fused less the better"] = intervals(lead)
    return result


def orders(base: Base, text: str, day: pd.Timestamp) -> dict[str, np.ndarray]:
    [[(dense, words)]] = rankings(base, [text], [base.scope(day, {PATENTS})], retrieval.DEPTH)
    return {"dense": dense, "bm25": words, "fused": fused([dense, words])[0]}


def citations_within(corpus: Corpus) -> dict[str, set[str]]:
    """For each citing patent the patents of the corpus that it cites and that were known on its day."""
    invention = corpus.members.set_index("member_id")["patent_id"]
    known = corpus.patents.set_index("patent_id")["knowledge_date"]
    links = corpus.citations[corpus.citations["cited"].isin(invention.index)]
    cited = links["cited"].map(invention)
    kept = (cited != links["citing"]).to_numpy() & (
        known.loc[cited].to_numpy() <= known.loc[links["citing"]].to_numpy()
    )
    return {str(patent): set(group) for patent, group in cited[kept].groupby(links["citing"][kept])}


def many_chunks() -> pd.DataFrame:
    """The second half of one abstract after the first half of another, dated by the first; some are a firm's."""
    real = pd.concat([patent_chunks(ingest([data() / f"{name}.parquet"]).corpus.patents) for name in CORPORA])
    real = real[real["text"].str.len() > 200].reset_index(drop=True)
    random = np.random.default_rng(0)
    one, other = random.integers(len(real), size=(2, CHUNKS))
    texts = real["text"].tolist()
    frame = real.iloc[one].reset_index(drop=True)
    frame["text"] = [
        f"{texts[a][: len(texts[a]) // 2]} {texts[b][len(texts[b]) // 2 :]} {number}"
        for number, (a, b) in enumerate(zip(one, other, strict=True))
    ]
    numbers = [f"{number:016x}" for number in range(CHUNKS)]
    frame = frame.assign(chunk_id=numbers, source=numbers, position=0)
    owned = random.random(CHUNKS) < 0.01
    frame.loc[owned, "kind"] = "document"
    frame.loc[owned, "firm"] = random.choice(FIRMS, owned.sum())
    return in_order(frame.astype({"position": "int32"}))


def vectors_of(chunks: pd.DataFrame) -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    centres = random.normal(size=(CENTRES, DIMENSION))
    vectors = centres[random.integers(CENTRES, size=len(chunks))] + 1.5 * random.normal(size=(len(chunks), DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip(chunks["text"], vectors.astype(np.float32), strict=True))


def questions(chunks: pd.DataFrame, words: int) -> list[tuple[str, str]]:
    """The first words of some chunks, and the whole text of another, whose vector the question has."""
    random = np.random.default_rng(2)
    asked, meant = random.choice(len(chunks), (2, QUERIES), replace=False)
    return [
        (" ".join(chunks["text"].iloc[a].split()[:words]), chunks["text"].iloc[b])
        for a, b in zip(asked, meant, strict=True)
    ]


def cutoff(chunks: pd.DataFrame, share: float) -> pd.Timestamp:
    return pd.Timestamp(chunks["date"].iloc[int(share * len(chunks)) - 1])


def latencies(
    ask: Callable[[str, pd.Timestamp], Any], texts: list[tuple[str, str]], day: pd.Timestamp
) -> dict[str, float]:
    wall, processor = [], []
    for text, _ in texts:
        clock, busy = time.perf_counter(), time.process_time()
        ask(text, day)
        wall.append(time.perf_counter() - clock)
        processor.append(time.process_time() - busy)
    return {
        "p50": 1000 * float(np.percentile(wall, 50)),
        "p95": 1000 * float(np.percentile(wall, 95)),
        "cpu95": 1000 * float(np.percentile(processor, 95)),
    }


def dense_latencies(base: Base, texts: list[tuple[str, str]], day: pd.Timestamp) -> dict[str, float]:
    def ask(text: str, day: pd.Timestamp) -> Any:
        return list(
            base.dense.nearest(base.encoder.encode([text]), base.scope(day, {PATENTS, "alpha"}), retrieval.DEPTH)
        )

    return latencies(ask, texts, day)


def agreement(exact: Base, other: Base, texts: list[tuple[str, str]], day: pd.Timestamp) -> float:
    """Share of the ten nearest that the other index finds among its ten."""
    scope = exact.scope(day, {PATENTS, "alpha"})
    vectors = exact.encoder.encode([text for text, _ in texts])
    assert isinstance(exact.dense, ExactIndex)
    pairs = zip(exact.dense.nearest(vectors, scope, 10), other.dense.nearest(vectors, scope, 10), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in pairs]))


def intervals(rows: Sequence[Sequence[float]] | np.ndarray) -> list[list[float]]:
    """Mean of each column and its 95 % interval, by resampling the rows."""
    values = np.array(rows)
    random = np.random.default_rng(3)
    means = np.array([values[random.integers(len(values), size=len(values))].mean(axis=0) for _ in range(1000)])
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [list(map(float, column)) for column in zip(values.mean(axis=0), low, high, strict=True)]


@contextlib.contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Seconds by the wall and of the processor, filled in at the end."""
    seconds: dict[str, float] = {}
    clock, busy = time.perf_counter(), time.process_time()
    yield seconds
    seconds |= {"wall": time.perf_counter() - clock, "cpu": time.process_time() - busy}


def data() -> Path:
    return Path(os.environ.get("TECHCONVERGE_REAL_DATA", HERE.parents[1] / "shared" / "data")) / "corpora"


def size_mb(folder: Path) -> float:
    paths = folder.rglob("*") if folder.is_dir() else [folder]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 2**20


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def now_mb() -> float:
    """Memory of this process that is in use now, mapped files included as far as they were read."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


PARTS = {"add": add_all, "exact": ask_exact, "chroma": ask_chroma, "recall": recall}

if __name__ == "__main__":
    main()
