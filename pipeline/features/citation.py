"""Citation features between codes (method B2): shared references, co-citation, flows, and how broadly a code cites.

A reference of a patent counts for every code it carries. Two kinds of measure:

* over cited *documents*, inside the corpus or not: the citing patent names them, so their ids are known with it;
* over cited *codes* and ages: only for documents that are patents of the history, since only those have known codes.

A document that enters the corpus after the cutoff is, on the cutoff, an outside document like any other: it counts
by its id and has no codes yet. The history alone cannot tell it from one that never enters, so neither can a feature.
Sources give references without a date: one added after publication counts from the citing patent's own day.

Domain corpora mostly cite outside themselves, so counts are small. A ratio has SHRINKAGE added to its denominator,
which pulls it to zero while evidence is thin (Bell & Koren 2007); the mean, share or diversity of a code starts from
SHRINKAGE references at the value of the whole history; a flow is set against its expectation plus one citation.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.sparse as sp

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.features.base import BlockOutput, binary, dense_product, over_both_codes, times_dense
from pipeline.features.bibliometric import positions
from pipeline.features.network import MOST_NODES
from pipeline.pairs.base import CandidatePairs

SHRINKAGE = 10.0  # references: a ratio or mean of as many weighs half
DAMPING = 0.5  # of each step of a citation path


@dataclasses.dataclass(frozen=True)
class References:
    """Who cites what, up to the cutoff; one row a patent of the history in each.

    ``carried``: patents x all codes, 0/1. ``nodes``: the candidate codes among them. ``documents``: patents x cited
    documents, 0/1. ``inside``: patents x patents, 1 where the cited document is a patent of the history.
    """

    carried: sp.csr_array
    nodes: np.ndarray
    documents: sp.csr_array
    inside: sp.csr_array

    def cited_documents(self, rows: slice) -> sp.csr_array:
        """How many patents of a candidate code, among the rows, cite a document (candidate codes x documents)."""
        return sp.csr_array(self.carried[rows][:, self.nodes].T @ self.documents[rows])

    def citing_patents(self, rows: slice) -> sp.csr_array:
        """Which patents, among the rows, cite a patent of a candidate code (candidate codes x patents, 0/1)."""
        return binary(sp.csr_array((self.inside[rows] @ self.carried[:, self.nodes]).T))

    def between_codes(self, rows: slice) -> sp.csr_array:
        """Citations made by a code's patents, among the rows, to a code's patents (all codes x all codes).

        Fractional: a citation counts one in all, shared evenly over the codes of both patents.
        """
        codes = _totals(self.carried, axis=1)
        share = sp.csr_array(sp.diags_array(_ratio(np.ones_like(codes), codes, empty=0.0)) @ self.carried)
        return sp.csr_array(share[rows].T @ self.inside[rows] @ share)

    def mean_of_code(self, total: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Sum of ``total`` over sum of ``count`` of a candidate code's patents, shrunk to the ratio of all patents."""
        carriers = self.carried[:, self.nodes].T
        return _shrunk_ratio(carriers @ total, carriers @ count, prior=total.sum() / count.sum())


def citation(history: Corpus, pairs: CandidatePairs, task: TaskConfig) -> BlockOutput:
    """Pair values of all history and of the recent window; code values of all history as mean, min and range.

    A window limits the citing patents; what they cite may be of any age. NaN where a code cites nothing (or, for
    generality, is never cited): unknown, not zero. Measures whose source is lacking are left out.
    """
    if not (history.citations["kind"] == "patent").any():
        return BlockOutput(columns={}, warnings=("citation: no patent citations, so the block is left out",))
    known = history.once(_known, task, pairs.codes)
    grid = pairs.grid
    columns = {}
    for name, matrix in _pair_matrices(known, task, grid.rows, grid.columns):
        columns[f"citation__{name}"] = grid.at(matrix)
    for name, value in known.code_values.items():
        columns |= over_both_codes(f"citation__{name}", "all__lag0", value, pairs)
    return BlockOutput(columns=columns, warnings=known.warnings)


@dataclasses.dataclass(frozen=True)
class _Overlap:
    """What the profiles of candidate codes (rows of ``profile``) have in common: their products, and a size of each."""

    dot: sp.csr_array
    size: np.ndarray

    @classmethod
    def of(cls, profile: sp.csr_array) -> "_Overlap":
        return cls(_halved(sp.csr_array(profile @ profile.T)), _totals(profile.multiply(profile), axis=1))

    def jaccard(self, rows: slice, columns: slice) -> np.ndarray:
        """Shrunk Jaccard index of 0/1 profiles; NaN where one is empty."""
        shared = self.dot[rows, columns].toarray()
        together = np.add.outer(self.size[rows], self.size[columns])
        return self._known(shared / (together - shared + SHRINKAGE), rows, columns)

    def cosine(self, rows: slice, columns: slice) -> np.ndarray:
        """Shrunk cosine (of 0/1 profiles: their Salton index); NaN where one is empty."""
        length = np.sqrt(self.size)
        lengths = np.multiply.outer(length[rows], length[columns])
        return self._known(self.dot[rows, columns].toarray() / (lengths + SHRINKAGE), rows, columns)

    def _known(self, matrix: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        empty = self.size == 0
        return np.where(np.logical_or.outer(empty[rows], empty[columns]), np.nan, matrix)


@dataclasses.dataclass(frozen=True)
class _Known:
    """What the pair measures are made of, by the window (suffix) of the citing patents; see ``citation``.

    ``documents``, ``references``: overlap of the cited documents, and of how often each is cited. ``cocited``: of the
    citing patents. ``flows``: citations between all codes. The last three are empty without citations inside.
    """

    nodes: np.ndarray
    documents: dict[str, _Overlap]
    references: dict[str, _Overlap]
    cocited: dict[str, _Overlap]
    flows: dict[str, sp.csr_array]
    cited_codes: _Overlap | None
    reachability: np.ndarray | None
    code_values: dict[str, np.ndarray]
    warnings: tuple[str, ...]


def _known(history: Corpus, task: TaskConfig, codes: np.ndarray) -> _Known:
    references = _references(history, codes, task)
    nodes = references.nodes
    start = years_before(history.cutoff, task.window)
    recent = history.rows_since(start)
    earlier = slice(history.rows_since(years_before(start, task.window)).start, recent.start)
    periods = {"all__lag0": slice(None), f"w{task.window}__lag0": recent}
    cited = {suffix: references.cited_documents(rows) for suffix, rows in periods.items()}
    before = {f"w{task.window}__lag{task.window}": references.cited_documents(earlier)}
    flows = {suffix: references.between_codes(rows) for suffix, rows in periods.items()}
    every = flows["all__lag0"]
    inside = bool(every.nnz)
    values, warnings = _code_values(history, references, every)
    citing = {suffix: references.citing_patents(rows) for suffix, rows in periods.items() if inside}
    return _Known(
        nodes=nodes,
        documents={suffix: _Overlap.of(binary(profile)) for suffix, profile in (cited | before).items()},
        references={suffix: _Overlap.of(profile) for suffix, profile in cited.items()},
        cocited={suffix: _Overlap.of(profile) for suffix, profile in citing.items()},
        flows=flows if inside else {},
        cited_codes=_Overlap.of(every[nodes]) if inside else None,
        reachability=_reachability(every, nodes) if inside and every.shape[0] <= MOST_NODES else None,
        code_values=values,
        warnings=tuple(warnings),
    )


def _code_values(
    history: Corpus, references: References, flows: sp.csr_array
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Values of the candidate codes by name, and which are left out and why."""
    values: dict[str, np.ndarray] = {}
    warnings = []
    if flows.nnz:
        values["originality"] = _diversity(flows, references.nodes)
        values["generality"] = _diversity(sp.csr_array(flows.T), references.nodes)
        values["cycle_time"] = _cycle_time(history, references)
    else:
        warnings.append("citation: no citations between the patents, so measures over cited codes are left out")
    if (history.citations["kind"] == "npl").any():
        values["npl_share"] = _npl_share(history, references)
    else:
        warnings.append("citation: no non-patent citations, so npl_share is left out")
    return values, warnings


def _pair_matrices(known: _Known, task: TaskConfig, rows: slice, columns: slice) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (``measure__param__lag``, matrix rows x columns of the candidate codes), one matrix at a time."""
    for suffix in known.references:
        yield f"reference_jaccard__{suffix}", known.documents[suffix].jaccard(rows, columns)
        yield f"citation_cosine__{suffix}", known.references[suffix].cosine(rows, columns)
    before = f"w{task.window}__lag{task.window}"
    yield f"reference_jaccard__{before}", known.documents[before].jaccard(rows, columns)
    if known.cited_codes is None:
        return
    for suffix, overlap in known.cocited.items():
        # a code that nobody cites is cited together with none: zero is known, not missing
        yield f"cocitation__{suffix}", np.nan_to_num(overlap.cosine(rows, columns))
    here, there = known.nodes[rows], known.nodes[columns]
    for suffix, flows in known.flows.items():
        both = _over_expectation(flows, here, there), _over_expectation(flows, there, here).T
        yield f"flow_sum__{suffix}", both[0] + both[1]
    every = known.flows["all__lag0"]
    smaller = np.minimum(_over_expectation(every, here, there), _over_expectation(every, there, here).T)
    yield "flow_min__all__lag0", smaller
    yield "flow_asymmetry__all__lag0", _asymmetry(every[here][:, there].toarray(), every[there][:, here].toarray().T)
    yield "code_citation_cosine__all__lag0", known.cited_codes.cosine(rows, columns)
    if known.reachability is not None:
        yield "reachability__all__lag0", known.reachability[rows, columns]


def _references(history: Corpus, codes: np.ndarray, task: TaskConfig) -> References:
    table = history.citations[history.citations["kind"] == "patent"]
    incidence = history.incidence(task.scheme, task.level)
    patents = len(history.patents)
    citing, cited = history.row_of(table["citing"]), history.row_of(table["cited"])
    document, ids = pd.factorize(table["cited_key"])
    known = cited >= 0
    return References(
        carried=incidence.matrix,
        nodes=positions(incidence.codes, codes),
        documents=_links(citing, document, (patents, len(ids))),
        inside=_links(citing[known], cited[known], (patents, patents)),
    )


def _over_expectation(flows: sp.csr_array, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """f_xy / (e_xy + 1) of x in ``here`` and y in ``there``: citations from x to y over those expected and one more.

    Expected: the citations x makes times the share of all citations that y receives.
    """
    made, received = _totals(flows, axis=1), _totals(flows, axis=0)
    expected = np.multiply.outer(made[here], received[there]) / max(made.sum(), 1.0)
    return np.asarray(flows[here][:, there].toarray() / (expected + 1))


def _asymmetry(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """|f_xy - f_yx| / (f_xy + f_yx + 1); NaN where nothing flows either way."""
    both = there + back
    return np.where(both > 0, np.abs(there - back) / (both + 1), np.nan)


def _reachability(flows: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """Chance that a walk along citations leads from one code over others to the other, in two steps or three.

    Sum over l = 2, 3 of DAMPING^l P^l, both ways added. P: shares of a code's citations by cited code, those to
    itself dropped, one more citation ending the walk. In single precision, which columns have in the end: it is kept
    for all codes.
    """
    step = sp.csr_array(sp.diags_array(1 / (_totals(flows, axis=1) + 1)) @ flows)
    step.setdiag(0)
    two = dense_product(step, sp.csr_array(step[:, nodes].T))
    reach = times_dense(step, two)
    reach *= DAMPING**3  # in place: of many codes each such matrix is large
    two *= DAMPING**2
    reach += two
    del two
    if not np.array_equal(nodes, np.arange(len(reach))):
        reach = reach[nodes]
    return np.asarray(reach + reach.T, dtype=np.float32)


def _diversity(flows: sp.csr_array, nodes: np.ndarray) -> np.ndarray:
    """1 - Herfindahl index of the cited codes of each candidate code, shrunk to the mean over all citations.

    Of ``flows`` this is the originality of a code, of its transpose the generality (Trajtenberg, Henderson & Jaffe
    1997). Its bias at small counts (one citation has diversity 0) is met by the shrinkage. NaN where nothing flows.
    """
    counts = _totals(flows, axis=1)
    squares = _totals(flows.multiply(flows), axis=1)
    total = counts - _ratio(squares, counts, empty=0.0)  # counts times (1 - Herfindahl)
    return _shrunk_ratio(total[nodes], counts[nodes], prior=total.sum() / counts.sum())


def _cycle_time(history: Corpus, references: References) -> np.ndarray:
    """Mean age in years of the patents that a code's patents cite, when they cite them (cf. Kayal & Waters 1999).

    The mean in place of their median: it can be shrunk. A patent cited before its own publication has age 0.
    """
    day = history.patents["knowledge_date"].to_numpy().astype("datetime64[D]").astype(float)
    table = references.inside.tocoo()
    age = np.maximum(day[table.row] - day[table.col], 0.0) / 365.25
    total = np.bincount(table.row, weights=age, minlength=len(day))
    return references.mean_of_code(total, _totals(references.inside, axis=1))


def _npl_share(history: Corpus, references: References) -> np.ndarray:
    """Share of non-patent literature among all references of a code's patents."""
    citing = history.citations.loc[history.citations["kind"] == "npl", "citing"]
    literature = np.bincount(history.row_of(citing), minlength=len(history.patents)).astype(float)
    return references.mean_of_code(literature, literature + _totals(references.documents, axis=1))


def _links(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    # indices of half the size, in every product too
    return binary(sp.csr_array((np.ones(len(row)), (row.astype(np.int32), column.astype(np.int32))), shape=shape))


def _halved(matrix: sp.csr_array) -> sp.csr_array:
    """The same numbers in single precision where it holds them all, as it does counts: there are many of them."""
    single = matrix.data.astype(np.float32)
    exact = bool((single == matrix.data).all())
    return sp.csr_array((single, matrix.indices, matrix.indptr), shape=matrix.shape) if exact else matrix


def _totals(matrix: sp.csr_array, axis: int) -> np.ndarray:
    return np.asarray(matrix.sum(axis=axis), dtype=float).ravel()


def _shrunk_ratio(total: np.ndarray, count: np.ndarray, prior: float) -> np.ndarray:
    """``total / count`` as if SHRINKAGE more had been seen at the prior's ratio; NaN where the count is 0."""
    return np.where(count > 0, (total + SHRINKAGE * prior) / (count + SHRINKAGE), np.nan)


def _ratio(numerator: np.ndarray, denominator: np.ndarray, empty: float) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full(len(numerator), empty), where=denominator > 0)
