"""Runs as objects: a forecast, a backtest, and what a forecast is to its firm. Each stands for a run folder."""

import dataclasses
import datetime
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

import pandas as pd

from pipeline.api.corpus import Corpus, Day, timestamp
from pipeline.api.html import card, plain
from pipeline.artifacts import read_table
from pipeline.corpus.timeline import years_before
from pipeline.errors import ArtifactError, ConfigError, CutoffError
from pipeline.evaluation.compare import compare
from pipeline.export.run import FORMATS, export_run
from pipeline.extensions import register
from pipeline.report.drawings import Drawing, drawing_of_pair, drawings
from pipeline.report.tables import Run as Loaded
from pipeline.report.tables import load_run, metric_frame
from pipeline.run import run
from pipeline.run_config import load_config, with_extensions
from pipeline.run_request import RunRequest
from pipeline.schemas import PAIR

Progress = Callable[[str], None]
Any_Run = TypeVar("Any_Run", bound="_Run")


@dataclasses.dataclass(frozen=True, repr=False)
class Explanation:
    """Why one pair ranks where it does: ``reasons`` in words, what each kind of ``evidence`` adds to the score (log
    odds), ``examples`` of patents on both sides, and the ``figures`` of it."""

    pair: pd.Series
    reasons: pd.DataFrame
    evidence: pd.DataFrame
    examples: pd.DataFrame
    figures: list[Drawing]

    def __repr__(self) -> str:
        raising = "; ".join(self.reasons["words"])
        return f"{self.pair['code_a']} × {self.pair['code_b']}, {self.pair['probability']:.3f}: {raising}"

    def _repr_html_(self) -> str:
        facts = {"probability": f"{self.pair['probability']:.3f}", "rank": int(self.pair["rank"])}
        names = {f"title of {self.pair[f'code_{side}']}": self.pair[f"title_{side}"] for side in "ab"}
        drawn = "".join(figure._repr_html_() for figure in self.figures)
        head = card(f"{self.pair['code_a']} × {self.pair['code_b']}", facts | names, self.reasons[["words"]])
        return head + drawn + plain(self.examples)


class _Run:
    """A run folder, read when it is asked."""

    command: ClassVar[Literal["forecast", "backtest"]]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls: type[Any_Run], folder: str | Path) -> Any_Run:
        """Open an earlier run; raises ArtifactError when the folder holds none, or one of the other kind."""
        opened = cls(Path(folder))
        if opened.record.get("command") != cls.command:
            raise ArtifactError(f"{folder} is a {opened.record.get('command')}, not a {cls.command}")
        return opened

    @functools.cached_property
    def _loaded(self) -> Loaded:
        return load_run(self.folder)

    @property
    def record(self) -> dict[str, Any]:
        """What was asked, versions, hashes, timings, warnings (``run.json``)."""
        return self._loaded.record

    @property
    def warnings(self) -> list[str]:
        """What to know before trusting the run."""
        return list(self.record.get("warnings", []))

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @property
    def pairs(self) -> pd.DataFrame:
        """Every candidate, by cutoff and rank, with the titles of its codes."""
        return self.titled(self.table("predictions").sort_values(["cutoff", "rank"], ignore_index=True))

    @property
    def tested(self) -> pd.DataFrame:
        """The candidates whose outcome is known, with it: of a forecast those of its test on the past."""
        name = "tested" if self.command == "forecast" else "predictions"
        if not (self.folder / f"{name}.parquet").exists():
            raise ConfigError(f"{self.folder} was not tested on the past: {'; '.join(self.warnings[:1])}")
        return self.table(name)

    @property
    def metrics(self) -> pd.DataFrame:
        """Every metric of the forecast (``model``) and of the baselines, by cutoff; k is 0 where there is no depth."""
        return metric_frame(self._loaded.metrics)

    def titled(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table of pairs with the titles of their codes."""
        title = self._loaded.codes.drop_duplicates("code").set_index("code")["title"]
        return table.assign(**{f"title_{side}": table[f"code_{side}"].map(title).fillna("") for side in "ab"})

    def table(self, name: str) -> pd.DataFrame:
        """A table of the run folder by name: predictions, codes, links, examples ..."""
        known = sorted(path.stem for path in self.folder.glob("*.parquet"))
        if name not in known:
            raise ConfigError(f"{self.folder} has no table {name}: choose from {', '.join(known)}")
        return read_table(self.folder / f"{name}.parquet")

    def explain(self, code_a: str, code_b: str) -> Explanation:
        """Why a pair ranks where it does; the order of its codes does not matter.

        Raises:
            ConfigError: when the run keeps no reasons for the pair, as it does for the head of its list only.
        """
        a, b = sorted((code_a, code_b))
        of_pair = {
            name: table[(table["code_a"] == a) & (table["code_b"] == b)].reset_index(drop=True)
            for name, table in (("reasons", self._loaded.explanations), ("examples", self._loaded.examples))
        }
        latest = self.pairs
        rows = latest[(latest["code_a"] == a) & (latest["code_b"] == b)]
        if rows.empty or of_pair["examples"].empty:
            known = "is not among the candidates" if rows.empty else f"ranks {rows['rank'].iloc[-1]:,}"
            raise ConfigError(f"{a} × {b} {known}: reasons are kept for the head of the list, see `.explained`")
        reasons = of_pair["reasons"]
        kinds = {kind: rows.set_index("name")["contribution"] for kind, rows in reasons.groupby("kind")}
        empty = pd.Series(dtype=float)
        adds, attention = kinds.get("modality", empty), kinds.get("attention", empty)
        evidence = pd.DataFrame({"adds": adds, "attention": attention}).rename_axis("evidence").reset_index()
        return Explanation(
            pair=rows.iloc[-1],
            reasons=reasons.loc[reasons["kind"] == "feature", ["words", "value", "contribution"]],
            evidence=evidence.sort_values("adds", ascending=False, ignore_index=True),
            examples=of_pair["examples"].drop(columns=PAIR),
            figures=drawing_of_pair(self._loaded, a, b),
        )

    @property
    def explained(self) -> pd.DataFrame:
        """The pairs that ``explain`` knows, by rank."""
        known = self._loaded.examples[PAIR].drop_duplicates()
        return known.merge(self.pairs.drop_duplicates(PAIR, keep="last"), on=PAIR).sort_values(
            "rank", ignore_index=True
        )

    def figure(self, name: str) -> Drawing:
        """A figure of the report by name: map, baselines, calibration ..."""
        drawn = {drawing.name: drawing for drawing in drawings(self._loaded)}
        if name not in drawn:
            raise ConfigError(f"{self.folder} has no figure {name}: choose from {', '.join(drawn)}")
        return drawn[name]

    def compare(self, other: "_Run", repeats: int = 200) -> pd.DataFrame:
        """This run's metrics less another's, on the same candidates; see ``evaluation.compare.compare``.

        ``repeats``: resamples, of the codes, that both runs see.
        """
        return compare(self.tested, other.tested, repeats, int(self.record["config"]["seed"]))

    def export(self, out: str | Path, formats: Sequence[str] = FORMATS) -> dict[str, Any]:
        """Write tables, network and figures for other programs; the record of what was written."""
        return export_run(self.folder, Path(out), formats)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, cutoffs {', '.join(self.record['cutoffs'])})"

    def _repr_html_(self) -> str:
        task, corpus = self.record["config"]["task"], self.record["corpus"]
        score = self.metrics.query("metric == 'average_precision' and model == 'model'")["value"].tail(1)
        facts = {
            "corpus": corpus["path"] + (" (simulated)" if corpus["simulated"] else ""),
            "cutoffs": ", ".join(self.record["cutoffs"]),
            "asked": f"{task.get('track', 'new')} links within {task['horizon']} years",
            "codes": f"{task['scheme'].upper()} {task['level']}",
            "firm": (self.record.get("firm") or {}).get("name", "none"),
            "average precision on the past": f"{score.iloc[0]:.3f}" if len(score) else "not tested",
            "warnings": len(self.warnings),
        }
        shown = ["rank", *PAIR, "probability", "label", "title_a", "title_b"]
        latest = self.pairs[self.pairs["cutoff"] == self.pairs["cutoff"].max()]
        return card(f"{type(self).__name__} {self.folder.name}", facts, latest[shown])


class Forecast(_Run):
    """Which pairs will converge after a day, tested one horizon earlier where the data allow it."""

    command = "forecast"

    @classmethod
    def run(
        cls,
        corpus: Corpus | str | Path,
        out: str | Path,
        cutoff: Day | None = None,
        firm: str | None = None,
        *,
        background: str | Path | None = None,
        blocks: Sequence[Callable[..., Any]] = (),
        learners: Sequence[Callable[..., Any]] = (),
        config: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        **task: Any,
    ) -> "Forecast":
        """Forecast from ``cutoff`` (the corpus's own where none is given) into the folder ``out``.

        ``blocks``, ``learners``: of your own, see ``pipeline.extensions``. ``config``: a YAML file; ``settings`` goes
        over it, nested like it; ``task``: its section of that name, as in ``horizon=3, level="class"``.
        """
        seen = _opened(corpus)
        day = seen.cutoff if cutoff is None else timestamp(cutoff).date()
        if day > seen.cutoff:
            raise CutoffError(f"cutoff {day} lies after {seen.cutoff}, the last day known here")
        overrides = {**(settings or {}), "task": {**(settings or {}).get("task", {}), **task}}
        return cls(_run(cls.command, seen, [day], out, firm, background, blocks, learners, config, overrides, progress))

    @property
    def opportunities(self) -> "Opportunities":
        """What the forecast is to its firm."""
        return Opportunities(self)


class Backtest(_Run):
    """Forecasts from past cutoffs, measured against what came."""

    command = "backtest"

    @classmethod
    def run(
        cls,
        corpus: Corpus | str | Path,
        out: str | Path,
        cutoffs: Sequence[Day],
        firm: str | None = None,
        *,
        background: str | Path | None = None,
        blocks: Sequence[Callable[..., Any]] = (),
        learners: Sequence[Callable[..., Any]] = (),
        config: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
        **task: Any,
    ) -> "Backtest":
        """Forecast from each of ``cutoffs`` and measure; the rest is as in ``Forecast.run``.

        A corpus that is seen as of a day is tested with nothing later than it.
        """
        seen = _opened(corpus)
        days = sorted(timestamp(cutoff).date() for cutoff in cutoffs)
        overrides = {**(settings or {}), "task": {**(settings or {}).get("task", {}), **task}}
        horizon = load_config(Path(config) if config else None, overrides).task.horizon
        for day in days:
            end = years_before(timestamp(day), -horizon).date()
            if end > seen.cutoff:
                raise CutoffError(
                    f"cutoff {day} cannot be tested: its window ends on {end}, known here is {seen.cutoff}"
                )
        return cls(_run(cls.command, seen, days, out, firm, background, blocks, learners, config, overrides, progress))


class Opportunities:
    """A forecast as its firm sees it."""

    def __init__(self, forecast: Forecast | str | Path) -> None:
        self.forecast = forecast if isinstance(forecast, Forecast) else Forecast.open(forecast)
        if not self.forecast.record.get("firm"):
            raise ConfigError(f"{self.forecast.folder} was made for no firm: run it with one")

    @property
    def firm(self) -> dict[str, Any]:
        """The firm as it was found: name, party_id, patents."""
        return dict(self.forecast.record["firm"])

    @property
    def pairs(self) -> pd.DataFrame:
        """The firm's list, best first, with the titles of the codes."""
        return self.forecast.titled(self.forecast.table("opportunities"))

    def of_type(self, which: Literal["I", "II", "III"]) -> pd.DataFrame:
        """The pairs of which the firm holds neither code (I), one (II), or both (III)."""
        return self.pairs[self.pairs["type"] == which].reset_index(drop=True)

    @property
    def portfolio(self) -> pd.DataFrame:
        """The firm against its domain, a row a code it holds: its patents, the domain's, its ``share`` of them, and
        ``rta``, that share over the firm's share of all codes' patents. The firm's largest codes come first."""
        codes = self.forecast.table("codes")
        share = codes["firm_patents"] / codes["patents"]
        rta = share / (codes["firm_patents"].sum() / codes["patents"].sum())
        table = codes.assign(share=share, rta=rta)[codes["firm_patents"] > 0]
        return table.sort_values(["firm_patents", "code"], ascending=[False, True], ignore_index=True)

    def __repr__(self) -> str:
        return f"Opportunities of {self.firm['name']} in {self.forecast!r}"

    def _repr_html_(self) -> str:
        types = self.pairs["type"].value_counts()
        facts = {"patents of the firm": self.firm["patents"]} | {
            f"pairs of type {which}": int(types.get(which, 0)) for which in ("I", "II", "III")
        }
        shown = ["firm_rank", "type", *PAIR, "probability", "title_a", "title_b"]
        return card(f"Opportunities of {self.firm['name']}", facts, self.pairs[shown])


def _opened(corpus: Corpus | str | Path) -> Corpus:
    return corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)


def _run(
    command: Literal["forecast", "backtest"],
    corpus: Corpus,
    cutoffs: Sequence[datetime.date],
    out: str | Path,
    firm: str | None,
    background: str | Path | None,
    blocks: Sequence[Callable[..., Any]],
    learners: Sequence[Callable[..., Any]],
    config: str | Path | None,
    overrides: dict[str, Any],
    progress: Progress | None,
) -> Path:
    own = [*(register("block", block) for block in blocks), *(register("learner", make) for make in learners)]
    loaded = load_config(Path(config) if config else None, overrides)
    request = RunRequest(
        command=command,
        corpus=corpus.path,
        cutoffs=tuple(cutoffs),
        firm=firm,
        config=with_extensions(loaded, own),
        background=Path(background) if background else None,
    )
    run(request, Path(out), progress or (lambda message: None))
    return Path(out)
