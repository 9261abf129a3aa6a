"""What an adapter must not unlearn: a small set of requests, and what counts as a good answer.

Four categories of twenty requests each (`guards.jsonl`, our own words, under the project's
licence): general instructions in English, the same in Chinese, passages without the answer, which
must be refused, and passages that must be cited. A check looks for plain signs, so that base and
adapter are judged alike; it does not know models.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Literal

import pydantic

from adapters.data.answers import normalise

GUARDS = Path(__file__).with_name("guards.jsonl")
MAX_NEW_TOKENS = 64  # every good answer of the set is shorter than half of this
HAN_SHARE = 0.5  # of the letters of an answer that counts as Chinese

_REFUSALS = re.compile(
    r"\b(?:do(?:es)? ?n[o']t (?:know|contain|say|mention|hold|have|provide|specify|state)"
    r"|do not have|cannot (?:answer|find|be found|say|tell|help)|can't (?:answer|find|say|help)"
    r"|unable to|not (?:mentioned|stated|given|provided|specified|included|known|in the passages?"
    r"|available|found|answerable)|no (?:information|answer|mention)|unknown|i am not sure"
    r"|i'm not sure)\b"
    r"|不知道|不清楚|无法(?:回答|得知|确定|找到|提供)|没有(?:答案|提到|提及|说明|相关|给出|找到|信息)"
    r"|未(?:提到|提及|说明|给出|提供)|不能回答|抱歉"
)
_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")

Category = Literal["general", "chinese", "refusal", "citation"]


class GuardItem(pydantic.BaseModel):
    """One request and what a good answer shows; every sign that is named must be there.

    Attributes:
        id: Within the set.
        category: What the item guards.
        lang: `en` or `zh`.
        messages: The request as chat turns.
        any: At least one of these texts stands in the answer, as a word where it is in Latin
            letters; case and width do not count.
        none: None of these does.
        script: The answer is mostly in Han characters.
        refuses: The answer says that it cannot be given.
        cites: The number of the passage that must be cited, as [n] or 【n】.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    id: str
    category: Category
    lang: Literal["en", "zh"]
    messages: tuple[dict[str, str], ...]
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    script: Literal["han"] | None = None
    refuses: bool = False
    cites: int | None = None

    def is_met(self, answer: str) -> bool:
        """Say whether `answer` shows every sign."""
        text = normalise(answer)
        return (
            (not self.any or any(_holds(text, sign) for sign in self.any))
            and not any(_holds(text, sign) for sign in self.none)
            and (self.script is None or is_chinese(answer))
            and (not self.refuses or is_refusal(answer))
            and (self.cites is None or f"[{self.cites}]" in _brackets(answer))
        )


@cache
def load_guards(path: Path = GUARDS) -> tuple[GuardItem, ...]:
    """Read the guard set."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(GuardItem.model_validate(json.loads(line)) for line in lines)


def is_refusal(answer: str) -> bool:
    """Say whether an answer, in English or Chinese, says that it cannot be given."""
    return _REFUSALS.search(normalise(answer).replace("’", "'")) is not None


def is_chinese(answer: str) -> bool:
    """Say whether at least half of an answer's letters are Han characters."""
    letters = _LETTER.findall(answer)
    return bool(letters) and len(_HAN.findall(answer)) >= HAN_SHARE * len(letters)


def _holds(text: str, sign: str) -> bool:
    wanted = normalise(sign)
    if not wanted.isascii():
        return wanted in text
    return re.search(rf"(?<![a-z0-9]){re.escape(wanted)}(?!\d)", text) is not None


def _brackets(answer: str) -> str:
    return answer.replace("【", "[").replace("】", "]")
