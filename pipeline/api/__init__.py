"""The library as an analyst uses it in Python: a corpus, what was forecast from it, and what that is to a firm.

Everything computed here is computed by the stages that the command line runs, and lies in the same folders.
"""

from pipeline.api.corpus import Corpus
from pipeline.api.runs import Backtest, Explanation, Forecast, Opportunities
from pipeline.extensions import feature_block, learner
from pipeline.features.base import BlockOutput

__all__ = [
    "Backtest",
    "BlockOutput",
    "Corpus",
    "Explanation",
    "Forecast",
    "Opportunities",
    "feature_block",
    "learner",
]
