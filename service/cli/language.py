"""The language in which a command speaks: `fingerpost --lang`, or a command's own `--lang`.

It knows which language was chosen; the sentences are the catalogue's.
"""

from contextvars import ContextVar
from typing import Annotated

import typer

from knowledge import is_in_traditional_script
from service.messages.catalogue import Language, translated

LangOption = Annotated[
    Language | None, typer.Option("--lang", help="Language of the output (default: en).")
]

_language: ContextVar[Language] = ContextVar("language", default="en")


def speak(lang: LangOption = None) -> None:
    """Choose the language of everything that is printed from here on."""
    _language.set(lang or "en")


def spoken(lang: Language | None = None) -> Language:
    """Return the language in force; a command's own option comes before `fingerpost --lang`."""
    if lang is not None:
        _language.set(lang)
    return _language.get()


def follow_script(question: str) -> None:
    """Speak Chinese in traditional letters where the question is written in them."""
    if spoken() == "zh" and is_in_traditional_script(question):
        speak("zh-Hant")


def say(key: str, /, **values: object) -> str:
    """Return a sentence of the catalogue in the language in force."""
    return translated(key, spoken(), **values)
