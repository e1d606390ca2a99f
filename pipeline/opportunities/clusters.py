"""How many topics a set of patents has, and which patent is in which: k-means on their text vectors.

Two ways to the number k: ``stability`` (the default) and ``elbow`` (with the silhouette, as in the reference recipe).
"""

from typing import Literal

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score

Choice = Literal["stability", "elbow"]

SMALLEST = 8  # patents a topic has on average at least; below twice as many there is one topic
FEWEST = 4  # patents of the smallest topic; where one would have fewer, a topic less is made
DIMENSIONS = 16  # in which patents are compared when k is chosen
DRAWS = 4  # pairs of subsamples a k
DRAWN = 0.8  # share of the patents in a subsample


def cluster(vectors: np.ndarray, most: int, choice: Choice, seed: int) -> np.ndarray:
    """The topic of each patent (n, from 0, the largest topic first); ``vectors``: n x d, none of them zero.

    ``most``: topics at most. Few patents are one topic: nothing could tell two apart.
    """
    upper = min(most, len(vectors) // SMALLEST)
    distinct = len(np.unique(vectors, axis=0))
    upper = min(upper, distinct)
    if upper < 2:
        return np.zeros(len(vectors), dtype=np.int64)
    rng = np.random.default_rng(seed)
    k = _by_stability(vectors, upper, rng) if choice == "stability" else _by_elbow(vectors, upper, seed)
    labels = _fit(vectors, k, seed, starts=10).labels_
    while k > 1 and np.bincount(labels).min() < FEWEST:
        k -= 1
        labels = _fit(vectors, k, seed, starts=10).labels_
    order = np.argsort(-np.bincount(labels, minlength=k), kind="stable")
    return np.argsort(order, kind="stable")[labels].astype(np.int64)


def _by_stability(vectors: np.ndarray, upper: int, rng: np.random.Generator) -> int:
    """The k whose clusters of two subsamples agree most, beyond what a round cloud shows.

    Agreement is the adjusted Rand index on all patents, less that of as many points without any structure
    (small k agree by themselves). Of the k within one standard error of the best, the largest; 1 where none is above
    chance.
    After Lange et al., Stability-based validation of clustering solutions, Neural Computation 16 (2004).
    """
    width = min(DIMENSIONS, len(vectors) - 1, vectors.shape[1])
    points = PCA(width, svd_solver="full").fit_transform(vectors.astype(np.float64))
    cloud = rng.normal(size=points.shape)
    found = {}
    for k in range(2, upper + 1):
        gaps = np.array([_agreement(points, k, rng) - _agreement(cloud, k, rng) for _ in range(DRAWS)])
        found[k] = (gaps.mean(), gaps.std(ddof=1) / np.sqrt(DRAWS))
    best, error = max(found.values())
    if best <= 0:
        return 1
    return max(k for k, (gap, _) in found.items() if gap >= best - error)


def _agreement(points: np.ndarray, k: int, rng: np.random.Generator) -> float:
    fits = []
    for _ in range(2):
        drawn = rng.choice(len(points), max(k, int(DRAWN * len(points))), replace=False)
        fits.append(_fit(points[drawn], k, int(rng.integers(2**31)), starts=1).predict(points))
    return float(adjusted_rand_score(*fits))


def _by_elbow(vectors: np.ndarray, upper: int, seed: int) -> int:
    """The k of the best silhouette among those at most one from the elbow of the inertia, its point furthest from the
    chord between the ends of the curve."""
    fits = {k: _fit(vectors, k, seed, starts=3) for k in range(1, upper + 1)}
    inertia = np.array([fit.inertia_ for fit in fits.values()])
    fall = (inertia[0] - inertia) / max(inertia[0] - inertia[-1], 1e-12)
    elbow = int(np.argmax(fall - np.linspace(0, 1, upper))) + 1
    near = [k for k in (elbow - 1, elbow, elbow + 1) if 2 <= k <= upper]
    return max(near, key=lambda k: silhouette_score(vectors, fits[k].labels_))


def _fit(points: np.ndarray, k: int, seed: int, starts: int) -> KMeans:
    return KMeans(k, n_init=starts, random_state=seed).fit(points)
