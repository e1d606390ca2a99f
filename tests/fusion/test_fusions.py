"""What both fusions promise (pipeline.fusion.base)."""

import dataclasses

import numpy as np
import pytest
import torch
from fusion.case import planted
from sklearn.metrics import average_precision_score

from pipeline.errors import ArtifactError, NotEnoughDataError
from pipeline.fusion.base import AttentionConfig, FusionConfig, ReferenceConfig
from pipeline.fusion.registry import load_fusion, make_fusion

CONFIGS = {
    "attention": FusionConfig(attention=AttentionConfig(epochs=30, learning_rate=2e-2)),
    "reference": FusionConfig(
        kind="reference",
        reference=ReferenceConfig(
            epochs=60, batch_size=512, learning_rate=1e-2, weight_decay=5, rank=2, relation_width=2
        ),
    ),
}
ORIGINS = [planted(1), planted(2)]
TABLES = [table for table, _ in ORIGINS]
LABELS = [labels for _, labels in ORIGINS]
LATER, OUTCOME = planted(3)


@pytest.fixture(scope="module", params=list(CONFIGS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def fitted(kind):
    return make_fusion(CONFIGS[kind]).fit(TABLES, LABELS, seed=5)


def saved(fusion, folder):
    fusion.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_finds_the_planted_signal_at_a_later_origin(fitted):
    assert average_precision_score(OUTCOME, fitted.logits(LATER)) > 8 * OUTCOME.mean()


def test_gives_one_float64_logit_and_one_float32_vector_a_pair(fitted):
    logits, vectors = fitted.logits(LATER), fitted.vectors(LATER)
    assert logits.shape == (len(LATER.pairs),) and logits.dtype == np.float64
    assert len(vectors) == len(LATER.pairs) and vectors.dtype == np.float32
    assert np.isfinite(logits).all() and np.isfinite(vectors).all()


def test_same_seed_same_bytes_whatever_was_drawn_before_and_another_seed_others(kind, fitted, tmp_path):
    torch.rand(3)
    again = make_fusion(CONFIGS[kind]).fit(TABLES, LABELS, seed=5)
    other = make_fusion(CONFIGS[kind]).fit(TABLES, LABELS, seed=6)
    assert saved(fitted, tmp_path / "a") == saved(again, tmp_path / "b") != saved(other, tmp_path / "c")


def test_what_is_saved_and_loaded_gives_the_same_numbers(fitted, tmp_path):
    first = saved(fitted, tmp_path / "a")
    assert list(first) == ["config.json", "weights.safetensors"]
    loaded = load_fusion(tmp_path / "a")
    np.testing.assert_array_equal(loaded.logits(LATER), fitted.logits(LATER))
    np.testing.assert_array_equal(loaded.vectors(LATER), fitted.vectors(LATER))
    assert loaded.attention(LATER).equals(fitted.attention(LATER))
    assert saved(loaded, tmp_path / "b") == first


def test_leaves_torch_as_it_was(kind, tmp_path):
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    make_fusion(CONFIGS[kind]).fit(TABLES[:1], LABELS[:1], seed=5).save(tmp_path)
    load_fusion(tmp_path).logits(LATER)
    after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


@pytest.mark.usefixtures("fitted")
def test_training_leaves_its_tables_as_they_were():
    table, labels = planted(1)
    assert table.columns.equals(TABLES[0].columns) and (labels == LABELS[0]).all()


def test_missing_values_are_taken_in_training_and_scoring(kind):
    def with_holes(table, seed):
        holes = np.random.default_rng(seed).random(table.columns.shape) < 0.1
        vectors = {name: np.where(np.arange(len(v))[:, None] == 3, np.nan, v) for name, v in table.code_vectors.items()}
        return dataclasses.replace(table, columns=table.columns.mask(holes), code_vectors=vectors)

    fusion = make_fusion(CONFIGS[kind]).fit([with_holes(table, 1) for table in TABLES], LABELS, seed=5)
    logits = fusion.logits(with_holes(LATER, 2))
    assert np.isfinite(logits).all()
    assert average_precision_score(OUTCOME, logits) > 5 * OUTCOME.mean()


def test_a_corpus_without_text_has_no_text_modality(kind):
    def without_text(table):
        left = [name for name in table.columns if not name.startswith(("text", "topic"))]
        vectors = {"graph": table.code_vectors["graph"]}
        return dataclasses.replace(table, columns=table.columns[left], code_vectors=vectors, patent_vectors=None)

    fusion = make_fusion(CONFIGS[kind]).fit([without_text(table) for table in TABLES], LABELS, seed=5)
    assert average_precision_score(OUTCOME, fusion.logits(without_text(LATER))) > 8 * OUTCOME.mean()
    with pytest.raises(ValueError, match="text__m0"):
        fusion.logits(LATER)


def test_columns_must_be_those_of_the_fit(kind, fitted):
    shuffled = dataclasses.replace(LATER, columns=LATER.columns[list(LATER.columns)[::-1]])
    fewer = dataclasses.replace(LATER, columns=LATER.columns.iloc[:, 1:])
    with pytest.raises(ValueError, match="another order"):
        fitted.logits(shuffled)
    with pytest.raises(ValueError, match="bibliometric__m0"):
        fitted.vectors(fewer)
    with pytest.raises(ValueError, match="missing"):
        make_fusion(CONFIGS[kind]).fit([LATER, fewer], LABELS, seed=5)


@pytest.mark.parametrize(
    ("labels", "error"),
    [
        ([LABELS[0]], ValueError),
        ([LABELS[0], LABELS[1][:-1]], ValueError),
        ([LABELS[0], LABELS[1] * 2], ValueError),
        ([LABELS[0] * 0, LABELS[1] * 0], NotEnoughDataError),
    ],
)
def test_labels_must_match_and_hold_positives(kind, labels, error):
    with pytest.raises(error):
        make_fusion(CONFIGS[kind]).fit(TABLES, labels, seed=5)


def test_damaged_files_are_named(fitted, tmp_path):
    with pytest.raises(ArtifactError, match="does not exist"):
        load_fusion(tmp_path / "none")
    fitted.save(tmp_path / "a")
    weights = tmp_path / "a" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="damaged"):
        load_fusion(tmp_path / "a")
    (tmp_path / "a" / "config.json").write_text('{"kind": "other"}')
    with pytest.raises(ArtifactError, match="no known fusion"):
        load_fusion(tmp_path / "a")
