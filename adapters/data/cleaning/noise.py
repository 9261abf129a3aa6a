"""Noise: rows that ask nothing, are too short, or repeat themselves.

Knows greetings, thanks and confirmations in Chinese and English (`phrases.txt`). A dialogue in
which something is asked stays whole, with its greetings. It knows no other rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.folding import fold
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

MAX_PHRASES_CHARS = 60  # a longer text says something beside them
GRAM, SHORT_GRAM = 10, 3  # letters; data-juicer's character_repetition takes 10
SHORT_TEXT = 40  # letters: below it ten letters hardly return, however a text repeats itself
MIN_REPEATED = 6  # letters: 哈哈哈 is a word
SAMPLED = 12  # places looked at before all of a text is


class NoiseSettings(BaseModel):
    """Settings of `noise`.

    Attributes:
        phrases: Further texts that ask nothing, such as the greeting of one's own shop.
        min_question_letters: Letters and digits of all user turns together (own choice: 退款 asks
            something; English texts below data-juicer's 10 do too).
        min_answer_letters: Of the last answer (own choice: 是 and + are labels).
        max_repetition: Share of a turn that stands in it before (0.5: data-juicer).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: tuple[str, ...] = ()
    min_question_letters: Annotated[int, Field(ge=0)] = 2
    min_answer_letters: Annotated[int, Field(ge=0)] = 0
    max_repetition: Annotated[float, Field(ge=0, le=1)] = 0.5


class Noise:
    """Drops rows that teach nothing.

    Reasons: `no_text` (signs only), `chitchat` (no user turn says more than a greeting, thanks or
    a confirmation), `too_short`, `repetition`. A row whose answer is JSON is no chitchat: reading
    the intent of a greeting is a task.
    """

    name = "noise"

    def __init__(self, settings: NoiseSettings) -> None:
        self.settings: Mapping[str, object] = settings.model_dump()
        self._given = settings
        self._chitchat = _match_all((*read_phrases(), *settings.phrases))

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row; memory does not grow."""
        for row in rows:
            reason, detail = self._judge(row)
            yield drop(row, reason, detail) if reason else keep(row)

    def _judge(self, row: Row) -> tuple[str, str]:
        given = self._given
        asked = [turn.content for turn in row.messages if turn.role == "user"]
        answer = row.messages[-1].content
        letters = sum(count_letters(text, given.min_question_letters) for text in asked)
        answered = count_letters(answer, given.min_answer_letters)
        is_json = answer.lstrip().startswith(("{", "["))
        if not any(map(_says_something, asked)) or not _says_something(answer):
            return "no_text", "a question or an answer of signs alone"
        if not is_json and all(map(self.is_chitchat, asked)):
            return "chitchat", "no user turn asks anything"
        if letters < given.min_question_letters:
            return "too_short", f"the user says {letters} letters"
        if answered < given.min_answer_letters:
            return "too_short", f"the answer has {answered} letters"
        for turn in row.messages:
            if turn.role != "system" and not turn.content.lstrip().startswith(("{", "[")):
                share = repetition(turn.content, given.max_repetition)
                if share > given.max_repetition:
                    return "repetition", f"{share:.0%} of the {turn.role}'s text repeats itself"
        return "", ""

    def is_chitchat(self, text: str) -> bool:
        """Return whether a text is made of known phrases alone."""
        if len(text) > MAX_PHRASES_CHARS:
            return False
        said = "".join(filter(str.isalnum, fold(text)))  # without ～ and ❤
        return not said or self._chitchat.fullmatch(said) is not None


def _says_something(text: str) -> bool:
    return count_letters(text, 1) > 0 or bool(fold(text))


def count_letters(text: str, enough: int) -> int:
    """Return how many letters and digits a text has, counted up to `enough`."""
    count = 0
    for letter in text:
        count += letter.isalnum()
        if count >= enough:
            break
    return count


def repetition(text: str, limit: float = 0.5) -> float:
    """Return the share of a text whose next letters stand in it before, 0..1.

    Ten letters are compared, three in a text of fewer than 40; digits alone are an amount or the
    number of something, which repeats nothing. Long texts are sampled first: where the sample is
    far below `limit` it is the result.
    """
    said = "".join(text.split())
    if len(said) < MIN_REPEATED:
        return 0.0
    size = GRAM if len(said) >= SHORT_TEXT else SHORT_GRAM
    places = len(said) - size + 1
    if places > 4 * SAMPLED:
        step = places // SAMPLED
        grams = [said[at : at + size] for at in range(0, step * SAMPLED, step)]
        twice = (
            said.find(gram, said.find(gram) + 1) >= 0 for gram in grams if not gram.isdecimal()
        )
        found = sum(twice) / SAMPLED
        if found <= limit / 2:
            return found
    grams = [said[at : at + size] for at in range(places)]
    words = [gram for gram in grams if not gram.isdecimal()]
    return (len(words) - len(set(words))) / places


@cache
def read_phrases() -> tuple[str, ...]:
    """Return the known phrases, one a line of the file; lines with # are headings."""
    lines = Path(__file__).with_name("phrases.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _match_all(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return what matches one folded phrase after the other and nothing else."""
    folded = sorted({fold(phrase) for phrase in phrases} - {""}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, folded))})+")
