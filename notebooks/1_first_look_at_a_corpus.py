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
# # A first look at a corpus
#
# What is in it, how it grew, and what a forecast from a day in its past would have seen. The corpus here is simulated;
# your own comes in by `Corpus.ingest(["patents.parquet"], "corpus")`, and is opened by `Corpus.open("corpus")`.

# %%
from pathlib import Path

from pipeline import Corpus

folder = Path("../data/notebooks")
corpus = (
    Corpus.open(folder / "corpus") if (folder / "corpus").exists() else Corpus.sample(folder / "corpus", patents=1500)
)
corpus

# %% [markdown]
# Patents by the year they became known, and the largest codes and firms. Every table is a pandas DataFrame.

# %%
corpus.by_year().to_frame().T

# %%
corpus.codes(level="subclass").head(10)

# %%
corpus.firms().head(10)

# %% [markdown]
# ## As of a day
#
# `as_of` is the only way to the past: what it hands back knows nothing later. Counts, candidates, features and models
# are all made from it.

# %%
past = corpus.as_of("2012-12-31")
len(corpus.patents), len(past.patents), past.patents["knowledge_date"].max()

# %% [markdown]
# The candidates of that day are the pairs of codes that never met so far, and what happened to them is known by now:

# %%
pairs = past.candidates(level="subclass", min_patents=3)
later = corpus.as_of("2015-12-31").history.incidence("ipc", "subclass")
joint = later.joint().toarray()
place = {code: number for number, code in enumerate(later.codes)}
met = [joint[place[a], place[b]] > 0 for a, b in pairs.table[["code_a", "code_b"]].itertuples(index=False)]
print(f"{len(pairs):,} candidate pairs of {len(pairs.codes)} codes; {sum(met):,} met within three years")
