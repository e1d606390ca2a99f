"""Labels that mean nothing teach nothing and reward nothing: skill comes from the past, and from nowhere else."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from leakage.told import CONFIG, TASK, silent, whole
from runs import stored
from scipy import stats
from sklearn.metrics import roc_auc_score

from pipeline.corpus.readers import SourceTable, flat_table
from pipeline.corpus.timeline import Corpus, years_before
from pipeline.evaluation.metrics import evaluate
from pipeline.features.build import build_features, ranked
from pipeline.fusion.base import FusionConfig
from pipeline.fusion.registry import make_fusion
from pipeline.pairs.candidates import candidate_pairs
from pipeline.pairs.labels import converged
from pipeline.parts import compute_part, part_request, read_part
from pipeline.ranking.base import Origin
from pipeline.ranking.ensemble import EnsembleConfig, rank_pairs
from pipeline.schemas import PAIR

CUTOFF = pd.Timestamp("2014-12-31").as_unit("s")


def lift_by_chance(candidates: int, positives: int, repeats: int = 4000) -> tuple[float, float]:
    """Mean (in closed form) and standard deviation (drawn) of AP / prevalence of labels dealt at random.

    E[AP] = (H_N + (N - H_N) (P - 1) / (N - 1)) / N with H_N the harmonic number (Bestgen 2015).
    """
    harmonic = (1 / np.arange(1, candidates + 1)).sum()
    mean = (harmonic + (candidates - harmonic) * (positives - 1) / (candidates - 1)) / positives
    rng = np.random.default_rng(0)
    hit = np.arange(1, positives + 1)
    places = [np.sort(rng.choice(candidates, positives, replace=False)) + 1 for _ in range(repeats)]
    drawn = np.array([(hit / place).mean() for place in places]) * candidates / positives
    assert abs(drawn.mean() - mean) < 4 * drawn.std() / np.sqrt(repeats)
    return float(mean), float(drawn.std())


def future_at_random(rows: SourceTable, pairs: pd.DataFrame, positives: int, seed: int) -> SourceTable:
    """The rows up to the cutoff, and then a patent each for so many candidates that the seed deals the links to."""
    rng = np.random.default_rng(seed)
    dealt = pairs.iloc[rng.choice(len(pairs), positives, replace=False)]
    days = rng.integers(1, 1096, positives)  # 1 January 2015 to 31 December 2017
    days[0] = 1096
    later = pd.DataFrame(
        {
            "patent_id": [f"ZZ{number}" for number in range(positives)],
            "date": [f"{CUTOFF + pd.Timedelta(days=int(number)):%Y-%m-%d}" for number in days],
            "ipc": (dealt["code_a"] + " 1/00;" + dealt["code_b"] + " 1/00").to_numpy(),
        }
    )
    frame = pd.concat([rows.frame[rows.frame["date"] <= f"{CUTOFF:%Y-%m-%d}"], flat_table(later.astype("str"))])
    return dataclasses.replace(rows, frame=frame.set_axis(pd.RangeIndex(1, len(frame) + 1)))


@pytest.mark.slow
def test_a_future_dealt_at_random_cannot_be_foreseen(
    sample_rows: SourceTable, sample_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole backtest, from stored corpus to metrics. The links of the window are dealt to the candidates like cards,
    so each deal is independent of any honest score, and the mean lift of four is normal about that of chance; more
    than four standard errors away is chance once in 16,000 times. The real future shows that the test can see skill.
    """
    monkeypatch.setenv("TECHCONVERGE_CACHE", str(tmp_path / "cache"))
    pairs = candidate_pairs(sample_corpus.as_of(CUTOFF), TASK).pairs
    positives = int(converged(sample_corpus, pairs, TASK).sum())
    mean, deviation = lift_by_chance(len(pairs), positives)

    def lift(rows: SourceTable) -> float:
        corpus = stored(rows, tmp_path / "corpus")
        dates = {"cutoff": CUTOFF.date(), "known_until": years_before(CUTOFF, -TASK.horizon).date()}
        request = part_request(corpus, None, config=CONFIG, explained=False, firm=None, **dates)
        compute_part(request, tmp_path / "part", silent)
        _, table = read_part(tmp_path / "part")
        a, b = (pd.factorize(table[code])[0] for code in PAIR)
        found = evaluate(table["label"].to_numpy(dtype=int), table["score_raw"].to_numpy(), None, a, b)
        return float(found.set_index("metric").loc["average_precision", "value"] / table["label"].mean())

    dealt = [lift(future_at_random(sample_rows, pairs.table, positives, seed)) for seed in range(4)]
    bound = 4 * deviation / np.sqrt(len(dealt))
    assert abs(np.mean(dealt) - mean) < bound, (dealt, mean, deviation)
    assert lift(sample_rows) > mean + 2 * bound


def test_a_model_taught_nonsense_does_not_know_the_future(sample_rows: SourceTable) -> None:
    """Outcomes of the past shuffled over their pairs leave a linear model on ranks no direction to prefer: one and its
    opposite are as likely, whose ROC-AUCs add up to 1, so their mean over shuffles is 1/2, Student's t about it. More
    than the 99.99 % bound away is no chance; the same model taught the true past lies far outside it.
    """
    corpus = whole(sample_rows, CUTOFF)
    history = corpus.as_of(CUTOFF)
    target = origin(history, None)
    past = [origin(history.as_of(years_before(CUTOFF, age)), history) for age in (6, 4, 3)]
    labels = converged(corpus, target.table.pairs, TASK)
    config = EnsembleConfig(members=("logistic/none",))

    def area(origins: list[Origin]) -> float:
        fusion = make_fusion(FusionConfig())
        ranking = rank_pairs(origins, target, TASK, 0.02, fusion, config, CONFIG.seed, silent)
        return float(roc_auc_score(labels, ranking.members["logistic/none"]))

    shuffled = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shuffled.append(area([dataclasses.replace(o, labels=rng.permutation(o.outcome)) for o in past]))
    bound = stats.t.ppf(1 - 5e-5, len(shuffled) - 1) * stats.sem(shuffled)
    assert abs(np.mean(shuffled) - 0.5) < bound, shuffled
    assert area(past) > 0.5 + bound


def origin(history: Corpus, later: Corpus | None) -> Origin:
    table = build_features(history, candidate_pairs(history, TASK).pairs, TASK, CONFIG.seed)
    return Origin(table, ranked(table), None if later is None else converged(later, table.pairs, TASK))
