"""Which questions are put, in which order, and what counts as an answer."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge.tables import CUTOFF, passages, topics_and_opportunities

from pipeline.judge.asks import Ask, RejectedError, arrangements, asks
from pipeline.judge.config import JudgeConfig
from pipeline.judge.evidence import gather, shuffled
from pipeline.judge.prompts import shown_ids
from pipeline.judge.rubric import load_rubric


def questions(count: int = 2, **changes: object) -> list[Ask]:
    config = JudgeConfig(**{"judges": ("openai:x",), **changes})
    topics, opportunities = topics_and_opportunities(count)
    rubric = load_rubric(config.preset)
    evidence = gather(opportunities, topics, passages, config.evidence, CUTOFF, rubric.questions())
    return asks(rubric, config, opportunities, topics, evidence)


def shown(ask: Ask) -> list[str]:
    return [line.split()[1].rstrip(",") for line in ask.user.splitlines() if line.startswith("Passage ")]


def test_each_opportunity_is_judged_by_each_criterion_in_each_repeat_by_each_judge() -> None:
    made = questions(3, judges=("openai:x", "openai:y"), repeats=2)
    keys = {(ask.opportunities, ask.criterion, ask.repeat, ask.judge) for ask in made}
    assert len(keys) == len(made) == 3 * 7 * 2 * 2


def test_a_budget_that_ends_early_costs_repeats_before_opportunities() -> None:
    repeats = [ask.repeat for ask in questions(3)]
    assert repeats == sorted(repeats)
    assert list(dict.fromkeys(ask.opportunities[0] for ask in questions(3))) == ["O000", "O001", "O002"]


def test_repeats_are_shown_the_passages_in_different_orders_the_first_two_in_the_same() -> None:
    orders = [shown(ask) for ask in questions(1) if ask.criterion == "need"]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 4
    assert len({frozenset(order) for order in orders}) == 1


def test_each_criterion_is_judged_on_what_was_found_for_its_own_question() -> None:
    rubric, config = load_rubric("default"), JudgeConfig(judges=("openai:x",), evidence=2, repeats=1)
    topics, opportunities = topics_and_opportunities(2)
    queries: list[str] = []

    def found(query: str, count: int) -> pd.DataFrame:
        queries.append(query)
        return passages(query, count).assign(evidence_id=[f"{len(queries)}-{place}" for place in range(count)])

    evidence = gather(opportunities, topics, found, config.evidence, CUTOFF, rubric.questions())
    assert len(queries) == 2 * 7
    for query, question in zip(queries, [*rubric.questions().values()] * 2, strict=True):
        assert query.startswith("firm topic ") and query.endswith(f"; oven;stone; {question}")
    for ask in asks(rubric, config, opportunities, topics, evidence):
        own = evidence[(evidence["opportunity_id"] == ask.opportunities[0]) & (evidence["criterion"] == ask.criterion)]
        ids = shown_ids(list(own["evidence_id"]), "E")
        assert set(shown(ask)) == set(ids)
        others = set(shown_ids(list(evidence["evidence_id"]), "E")) - set(ids)
        with pytest.raises(RejectedError, match="not among the passages"):  # another criterion's passage is none here
            ask.accept(json.dumps({"score": 1, "evidence_ids": [min(others)], "reason": "x"}))


def test_a_criterion_asks_what_stands_above_its_levels() -> None:
    questions = load_rubric("default").questions()
    assert (
        questions["need"] == "Does somebody have a problem that the combination would solve better than what there is?"
    )
    assert all(text.endswith("?") for text in questions.values())
    assert load_rubric("reference").questions() == {"overall": ""}


def test_the_passages_of_another_opportunity_are_those_it_has_for_the_same_criterion() -> None:
    topics, opportunities = topics_and_opportunities(3)
    evidence = gather(opportunities, topics, passages, 2, CUTOFF, {"need": "Who?", "feasibility": "How?"})
    moved = shuffled(evidence, 7)
    assert len(moved) == len(evidence)
    kept = evidence.merge(moved, on=["criterion", "evidence_id", "text"])
    assert len(kept) == len(evidence)
    assert (kept["opportunity_id_x"] != kept["opportunity_id_y"]).all()


def test_what_the_pipeline_concluded_is_kept_from_the_judge() -> None:
    for ask in questions(1):
        for told in ("probability", "rank", "score:"):
            assert told not in ask.user.partition("Criterion")[0].lower()


@given(length=st.integers(0, 6), count=st.integers(0, 30), seed=st.text(max_size=3))
def test_arrangements_are_orders_and_differ_as_long_as_they_can(length: int, count: int, seed: str) -> None:
    drawn = arrangements(length, count, seed)
    assert len(drawn) == count
    assert all(sorted(order) == list(range(length)) for order in drawn)
    different = {0: 1, 1: 1, 2: 2, 3: 6, 4: 24, 5: 120, 6: 720}[length]
    assert len(set(drawn)) == min(count, different)
    assert arrangements(length, count, seed) == drawn


@given(names=st.sets(st.text(min_size=1), max_size=20))
def test_shown_ids_are_short_and_lead_back(names: set[str]) -> None:
    short = shown_ids(sorted(names), "E")
    assert set(short.values()) == names
    assert all(len(name) == 10 for name in short)


def test_opportunities_without_passages_are_judged_on_facts_alone() -> None:
    (ask, *_) = questions(1, evidence=0)
    assert "No passages were found." in ask.user
    assert ask.accept('{"score": 3, "evidence_ids": [], "reason": "facts"}')[0].score == 3
    with pytest.raises(RejectedError):
        ask.accept('{"score": 3, "evidence_ids": ["E-00000000"], "reason": "the example\'s id"}')


WRONG = {
    "words": "I would give it a 4.",
    "cut off": '{"score": 4, "evidence_ids": [], "reason": "cut of',
    "half": '{"score": 4}',
    "too high": '{"score": 6, "evidence_ids": [], "reason": "x"}',
    "too low": '{"score": -1, "evidence_ids": [], "reason": "x"}',
    "a text": '{"score": "4", "evidence_ids": [], "reason": "x"}',
    "between": '{"score": 4.5, "evidence_ids": [], "reason": "x"}',
    "a truth": '{"score": true, "evidence_ids": [], "reason": "x"}',
    "an id of nothing": '{"score": 4, "evidence_ids": ["E-deadbeef"], "reason": "x"}',
    "one key more": '{"score": 4, "evidence_ids": [], "reason": "x", "confidence": 1}',
    "no reason": '{"score": 4, "evidence_ids": [], "reason": ""}',
    "ids in a text": '{"score": 4, "evidence_ids": "", "reason": "x"}',
    "a list": '[{"score": 4, "evidence_ids": [], "reason": "x"}]',
    "two": '{"score": 4, "evidence_ids": [], "reason": "x"} {"score": 5, "evidence_ids": [], "reason": "x"}',
    "a preface": 'Here it is: {"score": 4, "evidence_ids": [], "reason": "x"}',
    "nothing": "",
    "not a number": '{"score": NaN, "evidence_ids": [], "reason": "x"}',
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_an_answer_out_of_form_is_rejected_in_our_words_alone(text: str) -> None:
    with pytest.raises(RejectedError) as caught:
        questions(1)[0].accept(text)
    assert "confidence" not in str(caught.value)
    assert "deadbeef" not in str(caught.value)


@pytest.mark.parametrize("wrapped", ["```json\n{}\n```", "<think>Maybe a {{5}}.</think>\n{}", "  {}\n", "```\n{}\n```"])
def test_usual_wrappings_are_taken_off(wrapped: str) -> None:
    answer = json.dumps({"score": 2, "evidence_ids": [], "reason": "plain"})
    assert questions(1)[0].accept(wrapped.replace("{}", answer))[0].score == 2


def test_cited_ids_are_told_as_they_are_known_outside_each_once() -> None:
    ask = questions(1)[0]
    first, second = shown(ask)[:2]
    (answer,) = ask.accept(json.dumps({"score": 5, "evidence_ids": [second, first, second], "reason": "x"}))
    ids = shown_ids([f"firm-topic-0-{place}" for place in range(6)], "E")
    assert answer.evidence_ids == (ids[second], ids[first])


def listing(ask: Ask, scores: dict[str, int]) -> str:
    ids = {true: short for short, true in shown_ids(ask.opportunities, "T").items()}
    items = [{"id": ids.get(name, name), "score": s, "reason": "x", "scenarios": ["a;b"]} for name, s in scores.items()]
    return json.dumps({"items": items})


def test_the_reference_preset_puts_all_opportunities_on_one_list() -> None:
    made = questions(3, preset="reference")
    assert [ask.repeat for ask in made] == [0, 1, 2, 3, 4]
    assert made[0].opportunities == made[1].opportunities
    assert {frozenset(ask.opportunities) for ask in made} == {frozenset({"O000", "O001", "O002"})}
    answers = made[2].accept(listing(made[2], {"O002": 1, "O000": 10, "O001": 4}))
    assert {answer.opportunity_id: answer.score for answer in answers} == {"O000": 10, "O001": 4, "O002": 1}
    assert answers[0].scenarios == ("a,b",)


@pytest.mark.parametrize(
    "scores",
    [{"O000": 5, "O001": 5}, {"O000": 5, "O001": 5, "O002": 5, "T-1": 5}, {"O000": 5, "O001": 5, "O002": 11}],
)
def test_a_list_that_leaves_out_or_adds_an_item_is_rejected(scores: dict[str, int]) -> None:
    ask = questions(3, preset="reference")[0]
    with pytest.raises(RejectedError):
        ask.accept(listing(ask, scores))


def test_a_list_that_names_an_item_twice_is_rejected() -> None:
    ask = questions(2, preset="reference")[0]
    doubled = json.loads(listing(ask, {"O000": 5, "O001": 5}))
    doubled["items"].append(doubled["items"][0])
    with pytest.raises(RejectedError, match="exactly once"):
        ask.accept(json.dumps(doubled))


def test_retrieval_may_not_see_past_the_cutoff() -> None:
    topics, opportunities = topics_and_opportunities(1)
    with pytest.raises(ValueError, match="dated after 2010-12-31"):
        gather(opportunities, topics, passages, 3, CUTOFF.replace(year=2010), {"need": "Who?"})
