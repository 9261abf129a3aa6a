"""Makes training rows that teach a model to read passages: gold, distractors and refusals.

A question with its answers becomes a row in which one passage holds the answer and the others do
not, or a row in which none does and the right answer is a refusal. Knows questions, passages and
the mix; does not know how passages are found or how a prompt is written: both are passed in.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

from adapters.data.answers import find_answer, holds_answer, shorten
from adapters.errors import InvalidContextQuestions

Distractors = Literal["near", "far", "mixed"]

MAX_REFUSALS = 0.5  # beyond this, refusing is the better guess for every question
FAR_SHARE: Mapping[Distractors, float] = {"near": 0.0, "mixed": 0.5, "far": 1.0}
NEAR = 5  # passages found for a question that do not count as far from it
TRIES = 8  # passages drawn for each far one wanted; most are fit

GOLD_NOT_FOUND = "the gold passage was not retrieved"
ANSWER_NOT_THERE = "no passage contains an answer as whole words"
NO_DISTRACTOR = "every retrieved passage contains the answer"


class ReadPassage(Protocol):
    """What is needed of a passage; a frozen dataclass, so that it can be shortened."""

    @property
    def external_id(self) -> str:
        """Id of the document it is from."""

    @property
    def text(self) -> str:
        """What the model reads."""


AnyPassage = TypeVar("AnyPassage", bound=ReadPassage)
Retrieve = Callable[[str], Sequence[AnyPassage]]
Render = Callable[[str, Sequence[AnyPassage]], Sequence[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """A question whose answer stands in a passage.

    Attributes:
        question: As a user asks it.
        answers: Texts, any of which is right; the first that stands in the passage is taught.
        source: What its rows are split by: rows of one source are trained on, or held out.
        gold_ids: Documents that hold the answer; empty: whichever passage has its words.
        other_ids: Documents that hold it too and may not serve as distractors.
    """

    question: str
    answers: tuple[str, ...]
    source: str
    gold_ids: frozenset[str] = frozenset()
    other_ids: frozenset[str] = frozenset()

    @property
    def meta(self) -> Mapping[str, object]:
        """What `hold_out` splits by, before any row is made of the question."""
        return {"source": self.source}


@dataclass(frozen=True, slots=True)
class ContextMix:
    """What the rows are made of.

    Attributes:
        passages: Most passages of a row; rows have one to so many, as a service with a minimum
            relevance shows them.
        refusals: Share of rows without the answer, 0 to 0.5. Each is the twin of a row with it;
            at 0.5 every question has both, and nothing but the passages tells which it is.
        distractors: `near`: what retrieval found beside the answer; `far`: what it found for
            other questions; `mixed`: half and half.
        passage_words: Words of each passage that are kept, those around the answer; 0 keeps all.
            A third of the words costs a third of the training time.
        seed: Random seed.
    """

    passages: int = 3
    refusals: float = 0.5
    distractors: Distractors = "mixed"
    passage_words: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.refusals <= MAX_REFUSALS:
            raise InvalidContextQuestions(
                f"the share of refusals is {self.refusals:g}; it must be 0 to {MAX_REFUSALS:g}: "
                "if most rows refuse, the model learns only to refuse"
            )
        if self.passages < 1 or self.passage_words < 0:
            raise InvalidContextQuestions(
                f"{self.passages} passages of {self.passage_words} words: at least one passage "
                "is needed, and 0 or more words (0 keeps the whole passage)"
            )


@dataclass(frozen=True, slots=True)
class ContextRows:
    """The rows, and what became of the questions.

    Attributes:
        rows: Ready to be written as JSON Lines, in an order of the seed.
        left_out: Questions that gave no row, by reason.
    """

    rows: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Material:
    """What retrieval brought for one question: a passage with the answer, and others without."""

    question: ContextQuestion
    answer: str
    gold: Any
    near: Sequence[Any]


def build_context_rows(
    questions: Sequence[ContextQuestion],
    *,
    retrieve: Retrieve[AnyPassage],
    render: Render[AnyPassage],
    refusal: Callable[[str], str],
    mix: ContextMix,
) -> ContextRows:
    """Return training rows for `questions`: one with the answer for each, and twins that refuse.

    An answer is taught as `[n] text`, in the passage's own words. The mark comes first so that
    "answer or refuse" is decided by one token; where the answer's own first words compete with a
    refusal, a reader that is unsure of the words refuses too often.

    Args:
        questions: Those to train on; `hold_out` keeps others back before, by source, since twins
            of one question must not stand on both sides.
        retrieve: Passages for a question, best first, more of them than a row shows.
        render: The messages that a service would send for a question and passages.
        refusal: What a service says to a question that nothing answers.
        mix: What the rows are made of.

    Raises:
        InvalidContextQuestions: No question gave a row; the reasons are counted.
    """
    left_out: Counter[str] = Counter()
    materials: list[_Material] = []
    for question in questions:
        material, reason = _collect(question, retrieve(question.question))
        if material is None:
            left_out[reason] += 1
        else:
            materials.append(material)
    if not materials:
        reasons = "; ".join(f"{reason}: {count}" for reason, count in left_out.items())
        raise InvalidContextQuestions(f"no question produced a row ({reasons or 'no questions'})")
    rng = random.Random(mix.seed)
    write = _Writer(materials, render, refusal, mix, rng)
    rows = [write.answered(material) for material in materials]
    twins = _choose_twins(materials, mix, rng)
    rows += [write.refused(material) for material in twins]
    rng.shuffle(rows)
    return ContextRows(rows, dict(left_out))


def _collect(
    question: ContextQuestion, found: Sequence[AnyPassage]
) -> tuple[_Material | None, str]:
    """Separate the passage with the answer from those without, or say why not."""
    golds = question.gold_ids
    marked = [p for p in found if p.external_id in golds] if golds else found
    with_answer = [(p, answer) for p in marked if (answer := find_answer(p.text, question.answers))]
    if not with_answer:
        return None, ANSWER_NOT_THERE if marked else GOLD_NOT_FOUND
    excluded = golds | question.other_ids
    near = [
        p
        for p in found
        if p.external_id not in excluded and not holds_answer(p.text, question.answers)
    ]
    if not near:
        return None, NO_DISTRACTOR
    gold, answer = with_answer[0]
    return _Material(question, answer, gold, near), ""


def _choose_twins(
    materials: Sequence[_Material], mix: ContextMix, rng: random.Random
) -> Sequence[_Material]:
    count = round(len(materials) * mix.refusals / (1 - mix.refusals))
    return rng.sample(materials, min(count, len(materials)))


class _Writer:
    """Writes the rows of one build."""

    def __init__(
        self,
        materials: Sequence[_Material],
        render: Render[Any],
        refusal: Callable[[str], str],
        mix: ContextMix,
        rng: random.Random,
    ) -> None:
        self._pool = [p for material in materials for p in (material.gold, *material.near)]
        self._render = render
        self._refusal = refusal
        self._mix = mix
        self._rng = rng

    def answered(self, material: _Material) -> dict[str, Any]:
        """Return a row whose passages hold the answer."""
        beside = self._distractors(material, self._rng.randrange(self._mix.passages))
        shown = [material.gold, *beside]
        self._rng.shuffle(shown)
        said = f"[{shown.index(material.gold) + 1}] {material.answer}"
        return self._row(material, shown, said, distractors=len(beside))

    def refused(self, material: _Material) -> dict[str, Any]:
        """Return its twin, whose passages do not."""
        shown = self._distractors(material, 1 + self._rng.randrange(self._mix.passages))
        self._rng.shuffle(shown)
        said = self._refusal(material.question.question)
        return self._row(material, shown, said, distractors=len(shown))

    def _distractors(self, material: _Material, count: int) -> list[Any]:
        """Return passages without the answer: the nearest ones, or those of other questions."""
        share = FAR_SHARE[self._mix.distractors]
        far = sum(self._rng.random() < share for _ in range(count))
        question = material.question
        chosen = list(material.near[: count - far])
        taken = {p.external_id for p in (*material.near[:NEAR], *chosen)}
        taken |= question.gold_ids | question.other_ids
        for passage in self._rng.sample(self._pool, min(len(self._pool), TRIES * count)):
            if len(chosen) == count:
                break
            if passage.external_id in taken or holds_answer(passage.text, question.answers):
                continue
            chosen.append(passage)
            taken.add(passage.external_id)
        return chosen or list(material.near[:count])

    def _row(
        self, material: _Material, shown: Sequence[Any], said: str, *, distractors: int
    ) -> dict[str, Any]:
        question, words = material.question, self._mix.passage_words
        cut = [replace(p, text=shorten(p.text, question.answers, words, self._rng)) for p in shown]
        prompt = [dict(turn) for turn in self._render(question.question, cut)]
        return {
            "messages": [*prompt, {"role": "assistant", "content": said}],
            "source": question.source,
            "context": True,
            "distractors": distractors,
            "refusal": distractors == len(shown),
            "answers": list(question.answers),
            "passages": [p.external_id for p in shown],
        }
