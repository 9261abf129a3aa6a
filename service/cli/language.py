"""The language in which a command speaks: `fingerpost --lang`, or a command's own `--lang`.

It knows the options; the language in force is `service.messages.spoken`'s.
"""

from typing import Annotated

import typer

from knowledge import is_in_traditional_script
from service.messages.catalogue import Language
from service.messages.spoken import speak, spoken
from service.settings import LANGUAGE_VARIABLE

LangOption = Annotated[
    Language | None, typer.Option("--lang", help="Language of the output (default: en).")
]
TopLangOption = Annotated[
    Language | None,
    typer.Option("--lang", envvar=LANGUAGE_VARIABLE, help="Language of the output (default: en)."),
]


def start_speaking(lang: TopLangOption = None) -> None:
    """Choose the language of everything that the command prints."""
    speak(lang or "en")


def use_language(lang: Language | None) -> Language:
    """Choose a command's own language, if it names one, and return the language in force."""
    if lang is not None:
        speak(lang)
    return spoken()


def follow_script(question: str) -> None:
    """Speak Chinese in traditional letters where the question is written in them."""
    if spoken() == "zh" and is_in_traditional_script(question):
        speak("zh-Hant")
