"""The target domain of a firm: codes it asks about and/or a query over the words of patents."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipeline.corpus.symbols import parse_symbols, roll_up
from pipeline.corpus.timeline import Corpus
from pipeline.errors import ConfigError
from pipeline.opportunities.query import parse_query

SHIPPED = Path(__file__).parent / "domains"


class Domain(BaseModel):
    """What a domain file says. ``codes``: symbols at any level, each with all below it; ``query``: see ``query``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    codes: tuple[str, ...] = ()
    query: str | None = None

    @field_validator("query")
    @classmethod
    def _understood(cls, query: str | None) -> str | None:
        if query is not None:
            parse_query(query)
        return query

    @model_validator(mode="after")
    def _says_something(self) -> "Domain":
        if not self.codes and self.query is None:
            raise ValueError("neither codes nor a query: give one or both")
        return self

    def patents(self, history: Corpus, scheme: str) -> np.ndarray:
        """Which patents lie in the domain (one bool each): found by the query where there is one, else by the codes."""
        if self.query is None:
            table = history.patent_codes[history.patent_codes["scheme"] == scheme]
            inside = table["patent_id"][_below(table["symbol"], self._symbols(scheme))]
            found = np.zeros(len(history.patents), dtype=bool)
            found[history.row_of(inside.drop_duplicates())] = True
            return found
        patents = history.patents
        texts = patents["title"] + "\n" + patents["abstract"] + "\n" + patents["claims"]
        return parse_query(self.query).matches(texts)

    def target_codes(self, codes: np.ndarray, scheme: str, patents: np.ndarray, carried: np.ndarray) -> np.ndarray:
        """Which codes of the run are target codes (one bool each).

        Those at, below or above the domain's ``codes``; without ``codes``, those which the domain's patents hold more
        often than the whole corpus does. ``patents``: patents of each code; ``carried``: of them, in the domain.
        """
        if not self.codes:
            total, inside = patents.sum(), carried.sum()
            return np.asarray((carried > 0) & (carried * total >= patents * inside))
        symbols = self._symbols(scheme)
        below = _below(pd.Series(codes), symbols)
        above = np.array([_below(pd.Series(symbols, dtype="str"), (code,)).any() for code in codes], dtype=bool)
        return np.asarray(below | above)

    def _symbols(self, scheme: str) -> tuple[str, ...]:
        parsed = parse_symbols(pd.Series(self.codes, dtype="str"), scheme)
        wrong = [code for code, symbol in zip(self.codes, parsed, strict=True) if not isinstance(symbol, str)]
        if wrong:
            raise ConfigError(f"domain {self.name!r}: {wrong[0]!r} is not a symbol of {scheme.upper()}")
        return tuple(parsed)


def load_domain(path: Path) -> Domain:
    """Read a domain file (YAML: name, codes, query), or one that is shipped, by its name.

    Raises:
        ConfigError: when it is missing or does not say what a domain is.
    """
    shipped = SHIPPED / f"{path}.yaml"
    try:
        content = yaml.safe_load((shipped if not path.exists() and shipped.is_file() else path).read_text("utf-8"))
    except OSError as error:
        names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
        raise ConfigError(f"{path} cannot be read ({error.strerror}); domains that are shipped: {names}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    try:
        return Domain.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors())
        raise ConfigError(f"{path} is not a domain: {faults}") from error


def _below(symbols: pd.Series, ancestors: tuple[str, ...]) -> np.ndarray:
    """Which symbols are one of the ancestors or lie below it in the notation (a main group's subgroups included)."""
    below = np.zeros(len(symbols), dtype=bool)
    for ancestor in ancestors:
        level = _level(ancestor)
        at_level = roll_up(symbols, level) if level else symbols
        below |= (at_level == ancestor).fillna(False).to_numpy(dtype=bool)
    return below


def _level(symbol: str) -> str | None:
    """The level a symbol names with all below it; None for a subgroup, which stands for itself."""
    if "/" in symbol:
        return "maingroup" if symbol.endswith("/00") else None
    return {1: "section", 3: "class", 4: "subclass"}[len(symbol)]
