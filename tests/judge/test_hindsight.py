"""Validation by hindsight: the statistics against other ways to compute them, and scripted judges ranked right."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judge.case import config_for
from judge.server import Act, Request, serving
from judge.tables import CODES, CUTOFF, no_passages, passages, topics_and_opportunities
from scipy.stats import kendalltau, spearmanr

from pipeline.errors import ConfigError
from pipeline.judge.config import JudgeConfig
from pipeline.judge.hindsight import Validation, compare, validate_judge

COUNT = 16


def pairs_with(filed: list[int], **scores: list[float]) -> pd.DataFrame:
    names = [
        sorted((CODES[i % 9], CODES[(i * 2 + 1) % 9 if i % 9 != (i * 2 + 1) % 9 else 9])) for i in range(len(filed))
    ]
    return pd.DataFrame(names, columns=["code_a", "code_b"]).assign(filed=filed, **scores)


def value(measures: pd.DataFrame, score: str, metric: str, k: int | None = None) -> float:
    found = measures[(measures["score"] == score) & (measures["metric"] == metric)]
    found = found[found["k"] == k] if k else found
    return float(found["value"].iloc[0])


@settings(deadline=None, max_examples=10)
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=3, max_size=25).filter(
        lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True))
    )
)
def test_correlations_are_scipys_and_lift_is_counted(rows: list[tuple[int, int]]) -> None:
    filed, score = (list(column) for column in zip(*rows, strict=True))
    measures = compare(pairs_with(filed, computed=score), ["computed"], lists=(2,), repeats=20)
    assert value(measures, "computed", "kendall") == pytest.approx(kendalltau(score, filed).statistic)
    assert value(measures, "computed", "spearman") == pytest.approx(spearmanr(score, filed).statistic)
    # the first two, ties in every order: the mean over many shuffles
    rng = np.random.default_rng(0)
    found = np.array(filed) > 0
    tops = [found[np.lexsort((rng.random(len(rows)), -np.array(score)))[:2]].mean() for _ in range(500)]
    if found.any():
        assert value(measures, "computed", "lift", 2) == pytest.approx(np.mean(tops) / found.mean(), abs=0.15)


def test_a_resample_of_codes_counts_a_pair_as_often_as_both_its_codes_were_drawn() -> None:
    pairs = pairs_with([0, 1, 0, 2, 3, 0, 1, 0], computed=[1, 2, 3, 4, 5, 6, 7, 8])
    row = compare(pairs, ["computed"], lists=(2,), repeats=60, seed=5).set_index("metric").loc["kendall"]
    codes = sorted(
        {*pairs["code_a"], *pairs["code_b"]}, key=pd.concat([pairs["code_a"], pairs["code_b"]]).tolist().index
    )
    draws = np.random.default_rng(5).multinomial(len(codes), np.full(len(codes), 1 / len(codes)), size=60)
    values = []
    for times in draws:
        often = dict(zip(codes, times, strict=True))
        again = [i for i in range(8) for _ in range(often[pairs["code_a"][i]] * often[pairs["code_b"][i]])]
        drawn = pairs.iloc[again]
        alike = len(drawn) < 2 or drawn["filed"].nunique() < 2 or drawn["computed"].nunique() < 2
        values.append(np.nan if alike else kendalltau(drawn["computed"], drawn["filed"]).statistic)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.nanquantile(values, (0.05, 0.95))))


def test_a_score_is_ahead_of_the_computed_one_on_the_same_resamples() -> None:
    rng = np.random.default_rng(1)
    filed = rng.poisson(1.0, 60).tolist()
    noise = rng.random(60).tolist()
    pairs = pairs_with(filed, computed=noise, oracle=[float(x) for x in filed])
    measures = compare(pairs, ["computed", "oracle"], repeats=60)
    oracle = measures[(measures["score"] == "oracle") & (measures["metric"] == "kendall")].iloc[0]
    assert oracle["lead"] == pytest.approx(oracle["value"] - value(measures, "computed", "kendall"))
    assert 0 < oracle["lead_low"] < oracle["lead"] < oracle["lead_high"]
    assert measures.loc[measures["score"] == "computed", "lead"].isna().all()


def test_nothing_filed_leaves_the_measures_undefined() -> None:
    measures = compare(pairs_with([0] * 6, computed=[1, 2, 3, 4, 5, 6]), ["computed"], repeats=20)
    assert measures.loc[measures["metric"] != "scored", "value"].isna().all()
    assert (measures["filed"] == 0).all()


def test_an_opportunity_without_a_score_stands_last_and_is_counted() -> None:
    pairs = pairs_with([3, 0, 0, 0], computed=[1, 2, 3, 4], judge=[np.nan, 1, 1, 1])
    measures = compare(pairs, ["computed", "judge"], lists=(1,), repeats=20)
    assert value(measures, "judge", "scored") == 0.75
    assert value(measures, "judge", "lift", 1) == 0


def test_without_a_judge_the_computed_score_alone_is_validated(tmp_path: Path) -> None:
    topics, opportunities = topics_and_opportunities(COUNT)
    filed = pd.Series(np.arange(COUNT)[::-1], index=opportunities["opportunity_id"])
    found = validate_judge(opportunities, topics, filed, no_passages, CUTOFF, JudgeConfig(), tmp_path, repeats=20)
    assert list(dict.fromkeys(found.measures["score"])) == ["computed", "probability", "random"]
    assert value(found.measures, "computed", "kendall") == pytest.approx(1)
    assert abs(value(found.measures, "random", "kendall")) < 0.4
    assert found.judgements == {}
    assert found.record["notes"]
    with pytest.raises(ValueError, match="no count of what was filed, as O015"):
        validate_judge(opportunities, topics, filed.iloc[:-1], no_passages, CUTOFF, JudgeConfig(), tmp_path)


FILED = np.random.default_rng(8).poisson(1.5, COUNT)


def telling(query: str, k: int) -> pd.DataFrame:
    """Passages from which a judge could tell what will be filed; of different lengths that say nothing."""
    number = int(re.findall(r"topic (\d+)", query)[0])
    length = int(np.random.default_rng(number + 112).integers(1, 40))  # these lengths go with FILED by tau -.02
    return passages(query, k, [f"Signs of {FILED[number]} patents to come. " + "word " * length] * k)


def signs(request: Request) -> int:
    """What the passages shown tell of the future; nothing without passages."""
    found = re.search(r"Signs of (\d+) patents", request.user)
    return min(int(found.group(1)), 5) if found else 2


def answer(score: int) -> Act:
    return Act(json.dumps({"score": int(np.clip(score, 0, 5)), "evidence_ids": [], "reason": "x"}))


def perfect(request: Request) -> Act:
    return answer(signs(request))


def noisy(request: Request) -> Act:
    return answer(signs(request) + request.digest() % 3 - 1 + request.times % 2)


def by_order(request: Request) -> Act:
    """Looks only at which passage happens to stand first."""
    return answer(int(request.passages()[0][2:], 16) % 6 if request.passages() else 2)


def by_length(request: Request) -> Act:
    return answer(len("".join(request.quotes()[2:])) // 130)


@pytest.fixture(scope="module")
def validations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Validation]:
    """Each scripted judge, validated on the same opportunities."""
    topics, opportunities = topics_and_opportunities(COUNT)
    filed = pd.Series(FILED, index=opportunities["opportunity_id"])
    one = tmp_path_factory.mktemp("rubric")
    source = Path(__file__).parent / "two_criteria"
    (one / "criteria").mkdir()
    for name in ("system.md", "reply.md", "criteria/need.md"):
        (one / name).write_text((source / name).read_text())
    found = {}
    with pytest.MonkeyPatch.context() as patch, serving(perfect) as server:
        patch.setenv("OPENAI_API_KEY", "none")
        for script in (perfect, noisy, by_order, by_length):
            server.script = script
            config = config_for(server.url, rubric=one, repeats=3, evidence=3, judges=(f"openai:{script.__name__}",))
            found[script.__name__] = validate_judge(
                opportunities, topics, filed, telling, CUTOFF, config, tmp_path_factory.mktemp("answers"), repeats=50
            )
    return found


def kendall(validation: Validation, score: str = "judge") -> float:
    return value(validation.measures, score, "kendall")


def reliability_of(validation: Validation, measure: str) -> float:
    table = validation.judgements["judge"].reliability
    return float(table[(table["criterion"] == "need") & (table["measure"] == measure)]["value"].iloc[0])


def test_scripted_judges_are_ranked_right(validations: dict[str, Validation]) -> None:
    assert kendall(validations["perfect"]) > 0.9
    assert kendall(validations["perfect"]) > kendall(validations["noisy"]) + 0.1
    assert (
        kendall(validations["noisy"]) > max(kendall(validations["by_order"]), kendall(validations["by_length"])) + 0.1
    )
    perfect_lead = validations["perfect"].measures.query("score == 'judge' and metric == 'kendall'").iloc[0]
    assert perfect_lead["lead_low"] > 0


def test_the_controls_tell_that_a_good_judge_lives_by_its_evidence(validations: dict[str, Validation]) -> None:
    good = validations["perfect"]
    assert np.isnan(kendall(good, "judge_without_retrieval"))  # it says the same of all
    assert kendall(good) > abs(kendall(good, "judge_shuffled_retrieval")) + 0.4


def test_the_faults_of_the_others_are_found(validations: dict[str, Validation]) -> None:
    assert reliability_of(validations["by_order"], "difference_same_order") == 0
    assert reliability_of(validations["by_order"], "difference_other_order") > 0.8
    assert reliability_of(validations["noisy"], "difference_same_order") > 0
    assert reliability_of(validations["perfect"], "alpha_ordinal") == pytest.approx(1)
    assert reliability_of(validations["noisy"], "alpha_ordinal") < 0.95
    # with the evidence of others, length has no good reason to matter
    lengths = {name: found.record["evidence_length"]["judge_shuffled_retrieval"] for name, found in validations.items()}
    assert lengths["by_length"] > lengths["perfect"] + 0.3


def test_one_budget_serves_the_judge_and_its_controls(tmp_path: Path) -> None:
    topics, opportunities = topics_and_opportunities(3)
    filed = pd.Series([1, 0, 2], index=opportunities["opportunity_id"])
    with serving(perfect) as server:
        free = validate_judge(
            opportunities, topics, filed, telling, CUTOFF, config_for(server.url), tmp_path / "free", repeats=20
        )
        spent = [judgement.record["spent"]["tokens_charged"] for judgement in free.judgements.values()]
        config = config_for(server.url, max_tokens=sum(spent[:2]))
        found = validate_judge(opportunities, topics, filed, telling, CUTOFF, config, tmp_path / "bound", repeats=20)
    bound = [judgement.record["spent"]["tokens_charged"] for judgement in found.judgements.values()]
    assert bound[0] == spent[0] and sum(bound) <= sum(spent[:2])
    outcomes = {arm: set(judgement.verdicts["outcome"]) for arm, judgement in found.judgements.items()}
    assert outcomes["judge"] == {"ok"}
    assert outcomes["judge_shuffled_retrieval"] == {"over_budget"}


def test_calls_too_few_for_the_judge_and_its_controls_are_refused_before_the_first(tmp_path: Path) -> None:
    topics, opportunities = topics_and_opportunities(3)
    filed = pd.Series([1, 0, 2], index=opportunities["opportunity_id"])
    with serving(perfect) as server:
        config = config_for(server.url, max_calls=14)
        with pytest.raises(ConfigError, match=r"have \d+ questions, and judge.max_calls is 14: raise it"):
            validate_judge(opportunities, topics, filed, telling, CUTOFF, config, tmp_path)
        assert not server.requests
