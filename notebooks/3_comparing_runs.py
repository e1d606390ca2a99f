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
# # Comparing runs
#
# Does it help to read the texts? Two backtests from the same cutoffs, with and without the text blocks, on the same
# candidates.

# %%
from pathlib import Path

from pipeline import Backtest, Corpus

folder = Path("../data/notebooks")
corpus = (
    Corpus.open(folder / "corpus") if (folder / "corpus").exists() else Corpus.sample(folder / "corpus", patents=1500)
)

# light settings, so that this page runs in a minute: leave them out for results that count
light = {
    "encoder": {"model": "hashing"},
    "bootstrap_repeats": 50,
    "ensemble": {"members": ["logistic/none", "lightgbm/none"]},
}
cutoffs = ["2013-12-31", "2014-12-31"]


def backtest(name, blocks):
    run = folder / name
    settings = light | {"features": {"blocks": blocks}, "prior_ranker": "none"}
    return Backtest.open(run) if run.exists() else Backtest.run(corpus, run, cutoffs, settings=settings, level="class")


# %%
without = backtest("without_text", ["bibliometric", "network", "citation"])
with_text = backtest("with_text", ["bibliometric", "network", "citation", "text"])

# %% [markdown]
# Each cutoff, and their mean: the metric of this run, of the other, and the difference. `low` and `high` bound the
# difference with 90 %, from resamples of the codes that both runs see. Where they lie on both sides of 0, the two
# cannot be told apart.

# %%
table = with_text.compare(without)
table.query("metric in ['average_precision', 'roc_auc'] or (metric == 'precision' and k == 100)")

# %% [markdown]
# Runs that rank other candidates, or were told of other outcomes, are not compared: the numbers would say nothing.
