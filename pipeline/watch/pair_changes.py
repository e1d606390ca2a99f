"""What changed among pairs of codes from one forecast to the next: realised, new, risen, fallen, expired.

Only the first HEAD places of a list are watched, save for realised pairs, of which every candidate counts.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.config import TaskConfig
from pipeline.corpus.titles import titles
from pipeline.schemas import CHANGES, PAIR, Changes, validate
from pipeline.watch.forecasts import HEAD, Forecast
from pipeline.watch.meetings import Meetings, outcomes

MOVED = 10  # places by which a pair must move to have risen or fallen,
TIMES = 2  # and by which factor


def pair_changes(
    before: Forecast, after: Forecast, past: Sequence[Forecast], known: Meetings, task: TaskConfig
) -> pd.DataFrame:
    """The changes of pairs (schema ``Changes``), by kind in the order of CHANGES, each the first places first.

    ``past``: earlier forecasts, ``before`` among them, oldest first. ``known``: the meetings up to the cutoff of
    ``after``.

    - realised: the pair converged since ``before``, by a forecast of ``past`` whose horizon was open; told once, with
      the first such forecast.
    - new: within the head now, and no candidate before.
    - risen: within the head now, by MOVED places or more, to a TIMES-th of its place before or better; fallen likewise
      from within the head.
    - expired: the horizon of the first forecast that had it within the head is over and it has not converged
      (``horizon_over``); or it was within the head and is no candidate any more without having converged, since the
      grown corpus has its codes on a patent of before (``met_before``) or on too few since (``met_too_little``), or
      one of the codes too rarely (``no_candidate``).
    """
    both = _both(before, after)
    realised = realised_pairs(before, after, past, known, task).merge(both, on=PAIR, how="left")
    came = both.merge(realised[PAIR], on=PAIR, how="left", indicator="came")["came"] == "both"
    parts = [realised.assign(kind="realised", reason=""), moves(both[~came])]
    over = _without(_over(before, after, past, known, task), realised).merge(both, on=PAIR, how="left")
    gone = (both["place_before"] <= HEAD).fillna(False) & both["place_after"].isna() & ~came
    left = _without(both[gone], over)
    left = left.assign(
        reason=_why_left(left, before.cutoff, known),
        forecast_cutoff=before.cutoff,
        forecast_place=left["place_before"],
        forecast_probability=left["probability_before"],
    )
    parts.append(pd.concat([over, left]).assign(kind="expired"))
    return change_table(pd.concat(parts, ignore_index=True).assign(scope="pair"))


def moves(both: pd.DataFrame) -> pd.DataFrame:
    """The new, risen and fallen of what has columns place_before and place_after, with kind and reason."""
    was, now = both["place_before"], both["place_after"]
    before, after = (was <= HEAD).fillna(False), (now <= HEAD).fillna(False)
    far = ((was - now).abs() >= MOVED) & (np.maximum(was, now) >= TIMES * np.minimum(was, now))
    up, down = (far & (now < was)).fillna(False), (far & (now > was)).fillna(False)
    return pd.concat(
        [
            both[was.isna() & after].assign(kind="new", reason="candidate_now"),
            both[up & after].assign(kind="risen", reason=np.where(before[up & after], "within_head", "into_head")),
            both[down & before].assign(
                kind="fallen", reason=np.where(after[down & before], "within_head", "out_of_head")
            ),
        ]
    )


def realised_pairs(
    before: Forecast, after: Forecast, past: Sequence[Forecast], known: Meetings, task: TaskConfig
) -> pd.DataFrame:
    """Pairs that converged in (cutoff of ``before``, cutoff of ``after``]: code_a, code_b, converged_on, patents,
    forecast_cutoff, forecast_place, forecast_probability."""
    found = [
        outcomes(known, forecast.pairs, forecast.cutoff, task).merge(_named(forecast), on=PAIR)
        for forecast in past
        if forecast.until > before.cutoff
    ]
    # by the first forecast that it made good, so that a pair which was told of is not told of again
    first = pd.concat(found).sort_values(["converged_on", "forecast_cutoff"], kind="stable").drop_duplicates(PAIR)
    return first[(first["converged_on"] > before.cutoff) & (first["converged_on"] <= after.cutoff)]


def change_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of changes as the whole table, with titles of the codes; what a row does not say is empty."""
    columns = list(Changes.to_schema().columns)
    texts = ["firm_topic", "target_topic", "patents"]
    table = rows.assign(**{f"title_{side}": titles(rows[f"code_{side}"]) for side in "ab"})
    table = table.reindex(columns=columns).astype(dict.fromkeys(texts, "str") | {"reason": "str", "scope": "str"})
    table = table.assign(**{name: table[name].fillna("") for name in texts})
    places = table[["forecast_place", "place_after", "place_before"]].astype("Int64")
    order = pd.DataFrame(
        {
            "scope": table["scope"],
            "kind": table["kind"].map({kind: place for place, kind in enumerate(CHANGES)}).astype(int),
            "place": places["forecast_place"].fillna(places["place_after"]).fillna(places["place_before"]),
            "code_a": table["code_a"],
            "code_b": table["code_b"],
            "topics": table["firm_topic"] + table["target_topic"],
        }
    ).sort_values(["scope", "kind", "place", "code_a", "code_b", "topics"])
    return validate(table.loc[order.index].reset_index(drop=True), Changes, "changes")


def _both(before: Forecast, after: Forecast) -> pd.DataFrame:
    sides = [
        forecast.pairs[PAIR].assign(
            **{f"place_{name}": forecast.listed, f"probability_{name}": forecast.pairs["probability"]}
        )
        for name, forecast in (("before", before), ("after", after))
    ]
    return sides[0].merge(sides[1], on=PAIR, how="outer", validate="one_to_one")


def _named(forecast: Forecast) -> pd.DataFrame:
    """The pairs of a forecast with what it said of them."""
    return forecast.pairs[PAIR].assign(
        forecast_cutoff=forecast.cutoff,
        forecast_place=forecast.listed,
        forecast_probability=forecast.pairs["probability"],
    )


def _over(
    before: Forecast, after: Forecast, past: Sequence[Forecast], known: Meetings, task: TaskConfig
) -> pd.DataFrame:
    """Pairs of the head of a forecast whose horizon has ended since ``before``, not converged, and in the head of no
    forecast before that one."""
    named = pd.concat([_named(forecast) for forecast in past])
    first = named[(named["forecast_place"] <= HEAD).fillna(False)].drop_duplicates(PAIR)
    found = []
    for forecast in past:
        if before.cutoff < forecast.until <= after.cutoff:
            of_it = first[first["forecast_cutoff"] == forecast.cutoff]
            found.append(_without(of_it, outcomes(known, of_it, forecast.cutoff, task)))
    return pd.concat([first.head(0), *found]).assign(reason="horizon_over")


def _without(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table whose pair is not among the pairs."""
    return table[~pd.MultiIndex.from_frame(table[PAIR]).isin(pd.MultiIndex.from_frame(pairs[PAIR]))]


def _why_left(pairs: pd.DataFrame, cutoff: pd.Timestamp, known: Meetings) -> np.ndarray:
    dates = known.corpus.patents["knowledge_date"]
    start, end = dates.iloc[0] - pd.Timedelta(days=1), known.corpus.cutoff
    earlier = known.between(start, cutoff).count(pairs) > 0
    since = known.between(cutoff, end).count(pairs) > 0
    return np.select([earlier, since], ["met_before", "met_too_little"], "no_candidate")
