"""Fitted members and their scores out of fold, kept by content: what was fitted or scored on the same rows once is not
done again, whatever the cutoff.

A fit is a pure function of its rows, labels, settings and code, and its name is a hash of all of these: nothing can be
out of date, and a forecast is the same with and without. Past origins stay as they are through a quarter
(``cutoff.past_cutoffs``), so within one a new month needs features and scores of its own, and no training.
"""

import dataclasses
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import lightgbm
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.pipeline import Pipeline

from pipeline.artifacts import (
    atomic_directory,
    read_json,
    read_table,
    sha256_files,
    unchanged,
    write_json,
    write_table,
)
from pipeline.config import FUSION
from pipeline.errors import ArtifactError
from pipeline.features.base import FeatureTable
from pipeline.fusion.attention import AttentionFusion, FittedAttention
from pipeline.fusion.base import Fusion
from pipeline.fusion.training import best_device
from pipeline.ranking.base import Origin
from pipeline.ranking.learners import Boosted, make_learner

log = logging.getLogger(__name__)

MOST = 300  # fits kept; the longest unused go first
_MARKER, _MODEL, _NET, _SCORES = "fit.json", "model.json", "net", "scores.parquet"


@dataclasses.dataclass(frozen=True)
class KeptFits:
    """A folder of fits, a folder each. ``folder``: None keeps none. ``code``: a hash of the code that fits."""

    folder: Path | None = None
    code: str = ""

    def learner(self, name: str, X: np.ndarray, y: np.ndarray, seed: int) -> Any:
        """A learner of the registry fitted on features (rows x columns) and labels; one's own is never kept."""

        def fit() -> Any:
            return make_learner(name, seed, int(y.sum())).fit(X, y)

        if name not in _LEARNERS:
            return fit()
        save, load = _LEARNERS[name]
        return self._made({"learner": name, "seed": seed}, [X, y], fit, save, load)

    def net(self, fusion: Fusion, tables: Sequence[FeatureTable], labels: Sequence[np.ndarray], seed: int) -> Any:
        """A fusion fitted on the origins' tables; kept on a processor only: a GPU is quick, and rounds otherwise."""

        def fit() -> Any:
            return fusion.fit(tables, labels, seed)

        if not _keeps(fusion):
            return fit()
        what = {"net": fusion.config.model_dump(mode="json"), "seed": seed}
        what |= {"columns": [list(map(str, table.columns)) for table in tables]}
        what |= {"vectors": [list(table.code_vectors) for table in tables]}
        arrays = [array for table, label in zip(tables, labels, strict=True) for array in _rows(table, label)]
        return self._made(what, arrays, fit, lambda net, place: net.save(place / _NET), _load_net)

    def scores(
        self,
        members: Sequence[str],
        fusion: Fusion,
        origins: Sequence[Origin],
        how: dict[str, Any],
        make: Callable[[], np.ndarray],
    ) -> np.ndarray:
        """What members score out of fold on origins (rows x members); ``how``: all else that this depends on.

        Kept where the fit of every member is.
        """
        learners = [name.split("/") for name in members if name != FUSION]
        if self.folder is None or any(learner not in _LEARNERS or way != "none" for learner, way in learners):
            return make()
        what: dict[str, Any] = {"members": list(members), "how": how}
        if FUSION in members:
            if not _keeps(fusion):
                return make()
            what |= {"net": fusion.config.model_dump(mode="json")}
        what |= {"origins": [[f"{origin.cutoff}", list(origin.table.pairs.codes)] for origin in origins]}
        what |= {"columns": [list(map(str, origin.features)) for origin in origins]}
        what |= {"vectors": [list(origin.table.code_vectors) for origin in origins]}
        arrays = [
            array
            for origin in origins
            for array in (
                *_rows(dataclasses.replace(origin.table, columns=origin.features), origin.outcome),
                np.ones(0) if origin.weights is None else origin.weights,
            )
        ]

        def save(scores: np.ndarray, place: Path) -> None:
            write_table(place / _SCORES, pd.DataFrame(scores, columns=list(members)))

        made = self._made(what, arrays, make, save, lambda place: read_table(place / _SCORES).to_numpy(dtype=float))
        return np.asarray(made)

    def _made(
        self,
        what: dict[str, Any],
        arrays: Iterable[np.ndarray],
        fit: Callable[[], Any],
        save: Callable[[Any, Path], None],
        load: Callable[[Path], Any],
    ) -> Any:
        if self.folder is None:
            return fit()
        place = self.folder / _key(what | {"code": self.code}, arrays)
        found = _found(place, load)
        if found is not None:
            return found
        model = fit()
        try:
            with atomic_directory(place, _MARKER, [_MODEL, _NET, _SCORES]) as temporary:
                save(model, temporary)
                write_json(temporary / _MARKER, {"techconverge": self.code, "outputs": sha256_files(temporary, _NET)})
            self._forget()
        except ArtifactError as error:
            log.warning("kept fits: %s; the fit is used and not kept", error)
        return model

    def _forget(self) -> None:
        """Remove the longest unused fits beyond ``MOST``."""
        ages = {}
        for marker in self.folder.glob(f"*/{_MARKER}") if self.folder else ():
            try:
                ages[marker.parent] = marker.stat().st_mtime
            except FileNotFoundError:
                continue  # another process removed it
        for place in sorted(ages, key=lambda place: -ages[place])[MOST:]:
            shutil.rmtree(place, ignore_errors=True)


NONE_KEPT = KeptFits()


def _keeps(fusion: Fusion) -> TypeGuard[AttentionFusion]:
    return isinstance(fusion, AttentionFusion) and best_device() == "cpu"


def _rows(table: FeatureTable, labels: np.ndarray) -> list[np.ndarray]:
    """All that a fit on these rows depends on but the names."""
    columns = table.columns.to_numpy(dtype=np.float32)
    return [columns, table.pairs.a, table.pairs.b, labels, *table.code_vectors.values()]


def _found(place: Path, load: Callable[[Path], Any]) -> Any:
    """The fit in a folder, if it lies there whole."""
    if not (place / _MARKER).is_file():
        return None
    try:
        if not unchanged(place, read_json(place / _MARKER)["outputs"], _NET):
            raise ArtifactError(f"{place} is damaged")
        model = load(place)
        os.utime(place / _MARKER)
    except (ArtifactError, OSError, KeyError, TypeError, ValueError, lightgbm.basic.LightGBMError) as error:
        log.warning("kept fits: %s; it is fitted again", error)
        shutil.rmtree(place, ignore_errors=True)
        return None
    return model


def _key(what: dict[str, Any], arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _save_boosted(model: LGBMClassifier, place: Path) -> None:
    write_json(place / _MODEL, {"trees": model.booster_.model_to_string()})


def _load_boosted(place: Path) -> Boosted:
    return Boosted(lightgbm.Booster(model_str=read_json(place / _MODEL)["trees"]))


def _save_logistic(model: Pipeline, place: Path) -> None:
    last = model[-1]
    values = {"weights": last.coef_[0].tolist(), "intercept": last.intercept_.tolist()}
    types = {"weights": last.coef_.dtype.str, "intercept": last.intercept_.dtype.str}
    write_json(place / _MODEL, {"values": values, "types": types, "classes": last.classes_.tolist()})


def _load_logistic(place: Path) -> Pipeline:
    told = read_json(place / _MODEL)
    values = {name: np.array(told["values"][name], dtype=told["types"][name]) for name in ("weights", "intercept")}
    model = make_learner("logistic", 0, 0)
    # all that the steps before learn is how many columns there are
    model[:-1].fit(np.zeros((1, len(values["weights"])), dtype=np.float32))
    model[-1].coef_, model[-1].intercept_ = values["weights"][None, :], values["intercept"]
    model[-1].classes_ = np.array(told["classes"])
    model[-1].n_features_in_ = len(values["weights"])
    return model


def _load_net(place: Path) -> FittedAttention:
    return FittedAttention.load(place / _NET)


_LEARNERS: dict[str, tuple[Callable[[Any, Path], None], Callable[[Path], Any]]] = {
    "logistic": (_save_logistic, _load_logistic),
    "lightgbm": (_save_boosted, _load_boosted),
}
