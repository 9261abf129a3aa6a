"""What cosines say, measured on a model whose vectors are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from knowledge.embedding.examples import EXAMPLES
from knowledge.embedding.similarity import OWN_SHARE, Similarity, Vectors

SUBJECTS = len(EXAMPLES["en"])
DIMENSION = 64


class Model:
    """Texts of a subject share a direction, all texts another one, languages their own."""

    def __init__(self, *languages: str, common: float) -> None:
        self.languages = frozenset(languages)
        self.common = common

    def embed_query(self, text: str) -> Vectors:
        return self._embed(text, side=0)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._embed(text, side=1) for text in texts])

    def _embed(self, text: str, *, side: int) -> Vectors:
        for number, pairs in enumerate(EXAMPLES.values()):
            for subject, pair in enumerate(pairs):
                if text in pair:
                    return self.vector(subject, language=number, own=side)
        raise AssertionError(text)

    def vector(self, subject: int, *, language: int = 0, own: int = 0) -> Vectors:
        found = np.zeros(DIMENSION)
        found[subject] = 1.0
        found[SUBJECTS + language] = self.common / 2
        found[SUBJECTS + 2] = self.common
        found[SUBJECTS + 3 + own] = 0.5  # questions and passages are never the same
        return np.asarray(found / np.linalg.norm(found), dtype=np.float32)


def test_pairs_stand_in_both_languages_and_no_text_twice() -> None:
    assert {len(pairs) for pairs in EXAMPLES.values()} == {SUBJECTS}
    texts = [text for pairs in EXAMPLES.values() for pair in pairs for text in pair]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("common", [0.1, 1.0, 3.0])
def test_unrelated_texts_are_at_nought_and_related_ones_at_one(common: float) -> None:
    model = Model("*", common=common)
    similarity = Similarity.measured(model)
    asked = model.vector(2)
    for language, number in (("en", 0), ("zh", 1)):
        own = [model.vector(at, language=number, own=1) for at in range(SUBJECTS)]
        near = [
            similarity.nearness(asked, float(asked @ passage), of="en", to=language)
            for passage in own
        ]
        assert near[2] == pytest.approx(1.0, abs=0.15)
        assert near[5] == pytest.approx(0.0, abs=0.15)


def test_a_question_that_is_near_to_everything_is_measured_from_there() -> None:
    model = Model("en", common=1.0)
    similarity = Similarity.measured(model)
    passage = model.vector(2, own=1)
    plain, broad = model.vector(5), model.vector(5) + 0.4 * similarity.passages["en"].mean(axis=0)
    broad = np.asarray(broad / np.linalg.norm(broad), dtype=np.float32)
    higher = float(broad @ passage) - float(plain @ passage)
    assert higher > 0.05
    near = [
        similarity.nearness(each, float(each @ passage), of="en", to="en")
        for each in (plain, broad)
    ]
    scale = similarity.related["en"] - similarity.unrelated["en", "en"][1]
    assert near[1] - near[0] == pytest.approx((1 - OWN_SHARE) * higher / scale, rel=0.2)


def test_only_languages_that_the_model_reads_are_measured() -> None:
    assert set(Similarity.measured(Model("en", common=1.0)).passages) == {"en"}
    assert set(Similarity.measured(Model("zh", common=1.0)).passages) == {"zh"}
    assert set(Similarity.measured(Model("fr", common=1.0)).passages) == {"en"}
    both = Similarity.measured(Model("*", common=1.0))
    asked = Model("*", common=1.0).vector(1)
    assert both.nearness(asked, 0.5, of="fr", to="fr") == both.nearness(
        asked, 0.5, of="en", to="en"
    )
    assert both.nearness(asked, 0.5, of="en", to="zh") > both.nearness(asked, 0.5, of="en", to="en")


def test_a_lead_is_a_share_of_what_lies_between_unrelated_and_related() -> None:
    similarity = Similarity.measured(Model("*", common=1.0))
    related = similarity.related["zh"]
    assert similarity.lead(0.5 + related, 0.5, language="zh") == pytest.approx(1.0)
    assert similarity.lead(0.5, 0.5 + related / 2, language="zh") == pytest.approx(-0.5)


def test_each_language_has_its_unit_and_across_languages_the_larger_one_counts() -> None:
    nothing = np.zeros((1, 4), dtype=np.float32)
    pairs = [(one, other) for one in ("en", "zh") for other in ("en", "zh")]
    similarity = Similarity(
        {"en": nothing, "zh": nothing}, dict.fromkeys(pairs, (0.0, 0.1)), {"en": 0.6, "zh": 0.3}
    )
    asked = nothing[0]
    near = {(of, to): similarity.nearness(asked, 0.35, of=of, to=to) for of, to in pairs}
    assert near["en", "en"] == pytest.approx(0.25 / 0.5), "beyond what unrelated texts rarely have"
    assert near["zh", "zh"] == pytest.approx(0.25 / 0.2)
    assert near["zh", "en"] == near["en", "zh"] == near["en", "en"]
