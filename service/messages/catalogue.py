"""Sentences by key in every language: TOML files beside this module, one table for each group.

It knows languages and placeholders; it does not know who says a sentence. Traditional Chinese is
made of the simplified sentence, unless one of its own is written.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from knowledge import as_traditional

Language = Literal["en", "zh", "zh-Hant"]

_WEIGHT: Final = re.compile(r"\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*")  # RFC 9110, 12.4.2
_TRADITIONAL: Final = re.compile(r"zh-(hant|tw|hk|mo)\b")


def translated(key: str, language: Language, /, **values: object) -> str:
    """Return a sentence with its placeholders filled.

    Args:
        key: Table and name in the files, as `ask.answered_by`.
        language: Of the sentence.
        values: What the placeholders stand for; they are not converted.
    """
    return chosen(catalogue()[key], language).format(**values)


def chosen(texts: Mapping[str, str], language: Language) -> str:
    """Return one of the texts by language, as a policy's reason carries them."""
    if language in texts:
        return texts[language]
    return in_script(texts["zh"], language)


def in_script(text: str, language: Language) -> str:
    """Return a Chinese text in the letters of `language`; any other text as it is."""
    return as_traditional(text) if language == "zh-Hant" else text


def negotiated(accept_language: str | None) -> Language:
    """Return the language that an `Accept-Language` header prefers; English where it has none."""
    ranges = (part.lower().partition(";") for part in (accept_language or "").split(","))
    rated = [(_quality(weight), name.strip()) for name, _, weight in ranges]
    for quality, name in sorted(rated, key=lambda each: -each[0]):
        if quality and name.startswith(("zh", "en")):
            return _language_of(name)
    return "en"


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return every sentence by key, then by language.

    Raises:
        ValueError: Two files hold the same key.
    """
    files = sorted(resources.files("service.messages").iterdir(), key=lambda file: file.name)
    sentences: dict[str, Mapping[str, str]] = {}
    for file in files:
        if not file.name.endswith(".toml"):
            continue
        for key, texts in _sentences(tomllib.loads(file.read_text("utf-8"))):
            if key in sentences:
                raise ValueError(f"{file.name} repeats the key {key}")
            sentences[key] = texts
    return sentences


def _sentences(table: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    for name, inner in table.items():
        if any(isinstance(value, dict) for value in inner.values()):
            yield from _sentences(inner, f"{place}{name}.")
        else:
            yield f"{place}{name}", inner


def _language_of(name: str) -> Language:
    if name.startswith("en"):
        return "en"
    return "zh-Hant" if _TRADITIONAL.match(name) else "zh"


def _quality(weight: str) -> float:
    """Return the weight of a range: 1 without one, 0 where it is not one from 0 to 1."""
    named = _WEIGHT.fullmatch(weight)
    return float(named[1]) if named else float(not weight.strip())
