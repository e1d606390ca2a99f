"""Verdicts summed up: means, spread, abstention, panels; judges with a known fault are found out."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pipeline.judge.rubric import load_rubric
from pipeline.judge.summary import PANEL, judged, reliability, scores_of
from pipeline.schemas import Verdicts, validate

RUBRIC = load_rubric("default")
LISTED = load_rubric("reference")
ORDERS = (0, 0, 1, 2, 3)

# (opportunity, criterion, repeat, order) to score
Scorer = Callable[[int, str, int, int], int | None]


def verdicts_by(
    scorer: Scorer, judge: str = "openai:x", count: int = 12, criteria: tuple[str, ...] = ()
) -> pd.DataFrame:
    rows = [
        (f"O{number:03d}", criterion, judge, repeat, order, scorer(number, criterion, repeat, order))
        for number in range(count)
        for criterion in criteria or tuple(RUBRIC.criteria)
        for repeat, order in enumerate(ORDERS)
    ]
    frame = pd.DataFrame(rows, columns=["opportunity_id", "criterion", "judge", "repeat", "order", "score"])
    frame = frame.assign(
        position=None, outcome=np.where(frame["score"].notna(), "ok", "invalid"), reason="x", scenarios="",
        evidence_ids="p1;p2", tokens_in=10, tokens_out=1, rubric="r",
    )  # fmt: skip
    return validate(frame[list(Verdicts.to_schema().columns)], Verdicts, "verdicts")


def measure(table: pd.DataFrame, name: str, criterion: str = "need", judge: str = "openai:x") -> float:
    found = table[(table["measure"] == name) & (table["criterion"] == criterion) & (table["judge"] == judge)]
    return float(found["value"].iloc[0])


def test_a_mean_comes_with_its_spread_interval_and_count() -> None:
    scores = (1, 2, 3, 4, 5)
    table = judged(verdicts_by(lambda n, c, repeat, o: scores[repeat], count=1), RUBRIC)
    row = table[table["criterion"] == "need"].iloc[0]
    assert (row["mean"], row["n"], row["asked"]) == (3, 5, 5)
    assert row["spread"] == pytest.approx(np.std(scores, ddof=1))
    half = 2.131847 * row["spread"] / np.sqrt(5)  # Student's t, 95 %, 4 degrees of freedom
    assert (row["low"], row["high"]) == pytest.approx((3 - half, 3 + half))
    assert row["agreement"] == pytest.approx(4 / 10)
    assert row["abstained"]  # the interval is wider than two points
    assert row["evidence_ids"] == "p1;p2"


def test_too_few_answers_are_an_abstention_and_never_a_zero() -> None:
    some = judged(verdicts_by(lambda n, c, repeat, o: 4 if repeat < 2 else None, count=1), RUBRIC)
    none = judged(verdicts_by(lambda n, c, r, o: None, count=1), RUBRIC)
    assert (some["mean"] == 4).all()
    assert some["abstained"].all()
    assert none["mean"].isna().all()
    assert none["abstained"].all()


def test_the_overall_score_is_the_mean_over_the_criteria_that_have_one() -> None:
    value = {name: place % 6 for place, name in enumerate(RUBRIC.criteria)}
    first = next(iter(RUBRIC.criteria))
    table = judged(verdicts_by(lambda n, c, r, o: None if c == first else value[c], count=1), RUBRIC)
    rest = [value[name] for name in RUBRIC.criteria if name != first]
    assert scores_of(table).iloc[0] == pytest.approx(np.mean(rest))
    assert len(table) == 8


def test_a_panel_is_the_mean_of_its_judges_and_abstains_where_they_are_apart() -> None:
    kind = verdicts_by(lambda n, c, r, o: 5, "openai:kind", count=2)
    stern = verdicts_by(lambda n, c, r, o: 5 if n else 1, "openai:stern", count=2)
    table = judged(pd.concat([kind, stern], ignore_index=True), RUBRIC)
    panel = table[(table["judge"] == PANEL) & (table["criterion"] == "overall")].set_index("opportunity_id")
    assert panel["mean"].to_dict() == {"O000": 3, "O001": 5}
    assert panel["abstained"].to_dict() == {"O000": True, "O001": False}
    assert scores_of(table).to_dict() == {"O000": 3, "O001": 5}


def test_a_perfect_judge_is_told_from_a_noisy_one_and_one_that_heeds_order() -> None:
    noise = np.random.default_rng(2)
    perfect = reliability(verdicts_by(lambda n, c, r, o: n % 6), RUBRIC)
    noisy = reliability(verdicts_by(lambda n, c, r, o: int(noise.integers(0, 6)), count=60), RUBRIC)
    heedful = reliability(verdicts_by(lambda n, c, r, o: (n + 2 * o) % 6), RUBRIC)
    assert measure(perfect, "alpha_ordinal") == pytest.approx(1)
    assert measure(perfect, "flip_same_order") == measure(perfect, "flip_other_order") == 0
    assert abs(measure(noisy, "alpha_ordinal")) < 0.15
    # noise changes a verdict whether or not the order changes; a liking for an order shows only when it does
    assert measure(noisy, "difference_same_order") == pytest.approx(measure(noisy, "difference_other_order"), abs=0.5)
    assert measure(heedful, "difference_same_order") == 0
    assert measure(heedful, "difference_other_order") > 1


def test_a_judge_that_favours_the_top_of_a_list_is_found_out() -> None:
    rng = np.random.default_rng(3)
    places = [rng.permutation(12) + 1 for _ in range(4)]
    frame = verdicts_by(lambda n, c, r, o: int(np.clip(6 - places[o][n] // 4, 1, 10)), criteria=("overall",))
    position = [
        places[order][int(name[1:])] for name, order in zip(frame["opportunity_id"], frame["order"], strict=True)
    ]
    biased = frame.assign(position=pd.array(position, dtype="Int64"))
    fair = biased.assign(score=pd.array([int(name[1:]) % 9 + 1 for name in frame["opportunity_id"]], dtype="Int8"))
    assert measure(reliability(biased, LISTED), "position_effect", "overall") < -2
    assert measure(reliability(fair, LISTED), "position_effect", "overall") == pytest.approx(0)


def test_judges_are_compared_with_each_other() -> None:
    one = verdicts_by(lambda n, c, r, o: n % 6, "openai:x")
    other = verdicts_by(lambda n, c, r, o: 5 - n % 6, "openai:y")
    alike = reliability(pd.concat([one, one.assign(judge="openai:y")], ignore_index=True), RUBRIC)
    apart = reliability(pd.concat([one, other], ignore_index=True), RUBRIC)
    assert measure(alike, "alpha_interval", judge=PANEL) == pytest.approx(1)
    assert measure(apart, "alpha_interval", judge=PANEL) < -0.5


def test_no_verdicts_give_empty_tables() -> None:
    nothing = verdicts_by(lambda n, c, r, o: 1, count=0)
    assert judged(nothing, RUBRIC).empty
    assert reliability(nothing, RUBRIC).empty
