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
# # A forecast, explained pair by pair

# %%
from pathlib import Path

from pipeline import Corpus, Forecast

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

# %% [markdown]
# A forecast is a folder; an earlier one is opened, not computed again. `corpus.as_of(day)` says what it may see.

# %%
firm = "Sample Thermal Systems SA (simulated)"
run = folder / "forecast"
forecast = (
    Forecast.open(run) if run.exists() else Forecast.run(corpus.as_of("2016-12-31"), run, firm=firm, settings=light)
)
forecast

# %% [markdown]
# What to know before trusting it, and how such a forecast did three years earlier, beside the baselines it must beat:

# %%
forecast.warnings

# %%
metrics = forecast.metrics.query("metric == 'average_precision'")
metrics.sort_values("value", ascending=False)[["model", "cutoff", "value", "low", "high"]].head(8)

# %%
forecast.figure("baselines")

# %%
forecast.figure("calibration")

# %% [markdown]
# ## Pair by pair
#
# Reasons are kept for the head of the list.

# %%
forecast.explained[["rank", "code_a", "code_b", "probability", "title_a", "title_b"]].head(10)

# %%
first = forecast.explained.iloc[0]
forecast.explain(first["code_a"], first["code_b"])

# %% [markdown]
# The parts of an explanation are DataFrames too:

# %%
forecast.explain(first["code_a"], first["code_b"]).evidence

# %%
forecast.figure("map")
