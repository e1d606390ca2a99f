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
# # A firm's portfolio against its domain

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

# %%
firm = "Sample Thermal Systems SA (simulated)"
run = folder / "forecast"
forecast = (
    Forecast.open(run) if run.exists() else Forecast.run(corpus.as_of("2016-12-31"), run, firm=firm, settings=light)
)
mine = forecast.opportunities
mine

# %% [markdown]
# ## Where the firm stands
#
# `share` is the firm's part of a code's patents; `rta` divides it by the firm's part of all codes' patents, so above 1
# the firm is at home there.

# %%
portfolio = mine.portfolio
portfolio[["code", "title", "firm_patents", "patents", "share", "rta"]].head(12)

# %% [markdown]
# Codes that grow in the domain, but in which the firm has nothing:

# %%
codes = forecast.table("codes")
lacking = codes[codes["firm_patents"] == 0]
lacking.assign(recent_share=lacking["recent_patents"] / lacking["patents"]).nlargest(8, "recent_share")[
    ["code", "title", "patents", "recent_patents", "recent_share"]
]

# %% [markdown]
# ## What it could do
#
# Pairs that are likely to meet, of which the firm holds one code (II: an extension) or both (III: a combination).

# %%
shown = ["firm_rank", "code_a", "code_b", "probability", "density_a", "density_b", "title_a", "title_b"]
mine.of_type("III")[shown].head(5)

# %%
mine.of_type("II")[shown].head(5)

# %% [markdown]
# The same for a spreadsheet, for Gephi and for VOSviewer:

# %%
sorted(forecast.export(folder / "export", ["csv", "xlsx", "gexf", "vosviewer"])["files"])
