"""A text in Chinese and English, and the two languages. It knows nothing of what is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """The languages that people read: reasons, advice, explanations."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that a person reads, in Chinese and in English."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        """Return the text in one language."""
        return self.zh if language is Language.ZH else self.en

    def as_dict(self) -> dict[str, str]:
        """Return `{zh, en}`."""
        return {"zh": self.zh, "en": self.en}
