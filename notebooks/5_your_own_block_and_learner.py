# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own feature block and your own learner
#
# A block sees a history that is already cut, and the pairs; it cannot look ahead. It returns numbers, one a pair, in
# columns named `NAME__measure__param__lag`.

# %%
from pathlib import Path

import numpy as np

from pipeline import BlockOutput, Corpus, Forecast

folder = Path("../data/notebooks")
corpus = (
    Corpus.open(folder / "corpus") if (folder / "corpus").exists() else Corpus.sample(folder / "corpus", patents=1500)
)


# %%
def novelty(history, pairs, task, seed):
    """Years since the first patent of the younger and of the older code."""
    incidence = history.incidence(task.scheme, task.level)
    carried = incidence.matrix.tocoo()
    days = history.patents["knowledge_date"].to_numpy().astype("datetime64[D]").astype(float)
    first = np.full(len(incidence.codes), np.inf)
    np.minimum.at(first, carried.col, days[carried.row])
    years = (history.cutoff.to_datetime64().astype("datetime64[D]").astype(float) - first) / 365.25
    age = years[np.searchsorted(incidence.codes, pairs.codes)]
    return BlockOutput(
        {
            "novelty__age_of_younger__all__lag0": np.minimum(age[pairs.a], age[pairs.b]),
            "novelty__age_of_older__all__lag0": np.maximum(age[pairs.a], age[pairs.b]),
        }
    )


# %% [markdown]
# It can be tried by itself, on a day in the past:

# %%
from pipeline.config import TaskConfig

past, task = corpus.as_of("2012-12-31"), TaskConfig(level="class")
pairs = past.candidates(level="class")
columns = novelty(past.history, pairs, task, seed=7).columns
{name: values[:3].round(1) for name, values in columns.items()}

# %% [markdown]
# A learner is any scikit-learn classifier, made anew for each fit. It reads ranks in (0, 1), NaN where unknown.


# %%
def forest(seed, positives):
    """A random forest whose leaves grow with the positives there are."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    leaf = max(5, positives // 20)
    trees = RandomForestClassifier(100, min_samples_leaf=leaf, max_features=0.3, random_state=seed, n_jobs=1)
    return make_pipeline(SimpleImputer(strategy="constant", fill_value=0.5, keep_empty_features=True), trees)


# %% [markdown]
# Both join the configured blocks and members. The record tells which code they were, by its hash.

# %%
settings = {
    "encoder": {"model": "hashing"},
    "bootstrap_repeats": 50,
    "features": {"blocks": ["bibliometric", "network"]},
    "ensemble": {"members": ["logistic/none"]},
}
forecast = Forecast.run(
    corpus.as_of("2016-12-31"),
    folder / "own",
    blocks=[novelty],
    learners=[forest],
    settings=settings,
    level="class",
)
forecast.record["extensions"]

# %%
forecast.record["member_weights"]["2016-12-31"]

# %%
first = forecast.explained.iloc[0]
forecast.explain(first["code_a"], first["code_b"]).evidence

# %% [markdown]
# On the command line the same two functions, in a file `mine.py` and marked with `@feature_block` and `@learner` (from
# `pipeline`), are used by `techconverge forecast ... --extension mine.py`. A configuration may name them, but a name
# alone never runs anything: whoever runs it must hand over the file.
