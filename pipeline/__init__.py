"""techconverge: forecast technology convergence from patents and turn it into one firm's opportunities."""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.api import Backtest, BlockOutput, Corpus, Forecast, Opportunities, feature_block, learner

__version__ = "0.1.0"
__all__ = ["Backtest", "BlockOutput", "Corpus", "Forecast", "Opportunities", "feature_block", "learner"]


def __getattr__(name: str) -> Any:
    """The Python API, imported when it is asked for: the command line starts without it."""
    if name in __all__:
        warnings.filterwarnings("ignore", "IProgress not found")  # tqdm's in notebooks: none of its bars is shown
        return getattr(importlib.import_module("pipeline.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
