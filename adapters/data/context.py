"""Says how many rows teach a model to read passages, and whether they are enough.

A row with context shows passages and asks about them; among the passages are distractors, and
some rows have only distractors and are answered by a refusal. A row says so in its metadata, or
is recognised by numbered passages in its prompt. Knows nothing of retrieval.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from adapters.data.answers import holds_answer, strip_marks
from adapters.data.rows import Row

ENOUGH_ROWS = 100  # of a pilot with context; DECISIONS.md, "How many rows are enough"
ENOUGH_SHARE = 0.20  # our own choice: a fifth of the rows is no accident of the data
MIN_SHARE = 0.05  # of the rows with context: fewer teach no habit

_PASSAGE = re.compile(r"^\s*(?:\[\d+\]|<passage\b|【\d+】)", re.MULTILINE)
_REFUSAL_KINDS = frozenset({"refusal", "unanswerable"})


@dataclass(frozen=True, slots=True)
class ContextCounts:
    """How many rows teach reading with passages.

    Attributes:
        rows: All rows.
        with_context: Rows that show passages.
        with_distractors: Rows with context in which not every passage supports the answer.
        refusals: Rows with context whose right answer is a refusal.
        answers_in_passages: Rows with context, refusals aside, whose answer stands in their
            prompt word for word. Evidence, not a condition: answers may be put in other words.
        refusals_with_answer: Refusals whose prompt holds an answer all the same, where the row
            says under `answers` what would have been right. Should be 0.
    """

    rows: int
    with_context: int
    with_distractors: int
    refusals: int
    answers_in_passages: int = 0
    refusals_with_answer: int = 0

    @property
    def answer_share(self) -> float | None:
        """Share of the rows to be answered from passages whose answer stands in them."""
        to_answer = self.with_context - self.refusals
        return self.answers_in_passages / to_answer if to_answer else None

    @property
    def is_context_trained(self) -> bool:
        """Whether an adapter trained on these rows may be called context-trained.

        True with at least 100 rows with context or 20 % of all rows, if distractors and refusals
        each make up 5 % of them.
        """
        if not self.with_context:
            return False
        enough = self.with_context >= ENOUGH_ROWS or self.with_context / self.rows >= ENOUGH_SHARE
        least = MIN_SHARE * self.with_context
        return enough and self.with_distractors >= least and self.refusals >= least

    def as_dict(self) -> dict[str, int | float | None]:
        """Return the counts and the share as plain content."""
        return {**asdict(self), "answer_share": self.answer_share}


def count_context(rows: Sequence[Row]) -> ContextCounts:
    """Count the rows that teach reading with passages.

    Metadata decides where it speaks: `context` (bool), `distractors` (bool or number), `refusal`
    (bool) or `kind: refusal`. Otherwise a prompt with a line that starts with `[1]`, `【1】` or
    `<passage` has context, and two such lines mean distractors. `answers` (texts) is what counts as
    the right answer; without it, what the assistant says.
    """
    with_context = with_distractors = refusals = in_passages = refused_wrongly = 0
    for row in rows:
        passages = sum(
            len(_PASSAGE.findall(m.content)) for m in row.messages if m.role != "assistant"
        )
        if not row.meta.get("context", passages > 0):
            continue
        with_context += 1
        refused = bool(row.meta.get("refusal", row.meta.get("kind") in _REFUSAL_KINDS))
        refusals += refused
        with_distractors += bool(row.meta.get("distractors", passages > 1 or refused))
        stands = _answer_stands(row, refused)
        in_passages += stands and not refused
        refused_wrongly += stands and refused
    return ContextCounts(
        len(rows), with_context, with_distractors, refusals, in_passages, refused_wrongly
    )


def _answer_stands(row: Row, refused: bool) -> bool:
    """Say whether a right answer stands in what is shown before the last turn."""
    told = row.meta.get("answers")
    answers = [str(text) for text in told] if isinstance(told, list | tuple) else []
    if not answers and not refused:
        answers = [strip_marks(row.messages[-1].content)]
    shown = "\n".join(m.content for m in row.messages if m.role != "assistant")
    return holds_answer(shown, answers)
