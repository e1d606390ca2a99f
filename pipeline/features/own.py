"""A feature block of the user's own, checked like a stranger's table."""

import re

import numpy as np

from pipeline.config import TaskConfig
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ConfigError
from pipeline.extensions import extension
from pipeline.features.base import BlockOutput
from pipeline.pairs.base import CandidatePairs

_REST = r"__[a-z0-9]+(_[a-z0-9]+)*__(all|decayed|w[1-9][0-9]*)__lag[0-9]+"


def own_block(name: str, history: Corpus, pairs: CandidatePairs, task: TaskConfig, seed: int) -> BlockOutput:
    """Run a registered block and check what it hands back.

    Raises:
        ConfigError: no such block, or its columns are not what a block's must be.
    """
    own = extension("block", name)
    if own is None:
        raise ConfigError(f"no feature block is called {name}: load the file that defines it with --extension FILE.py")
    output = own.function(history, pairs, task, seed)
    if not isinstance(output, BlockOutput):
        raise ConfigError(f"block {name} returned {type(output).__name__}: return a BlockOutput")
    columns = {column: np.asarray(values) for column, values in output.columns.items()}
    for column, values in columns.items():
        if not re.fullmatch(name + _REST, column):
            raise ConfigError(f"block {name}: name column {column} like {name}__measure__w3__lag0")
        if values.shape != (len(pairs),) or values.dtype.kind not in "fiub":
            raise ConfigError(f"block {name}: {column} must hold a number for each of the {len(pairs)} pairs")
        if (np.abs(values.astype(float)) > np.finfo(np.float32).max).any():
            raise ConfigError(f"block {name}: {column} holds an infinite or huge value: put NaN where unknown")
    return BlockOutput(columns=columns, warnings=output.warnings)
