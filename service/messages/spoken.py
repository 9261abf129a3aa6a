"""The language in which a command, or a request of the gateway, is answered.

It knows which language was chosen; the sentences are the catalogue's.
"""

import re
from contextvars import ContextVar
from typing import Final

from service.messages.catalogue import Language, catalogue, chosen, translated

_CONTENT_LANGUAGE: Final = {"en": "en", "zh": "zh-Hans", "zh-Hant": "zh-Hant"}  # BCP 47
_UNKNOWN: Final = {"en": "Error", "zh": "出错"}
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_language: ContextVar[Language] = ContextVar("language", default="en")


def speak(language: Language) -> None:
    """Choose the language of everything that this command or request says from here on."""
    _language.set(language)


def spoken() -> Language:
    """Return the language in force: English where none was chosen."""
    return _language.get()


def content_language() -> str:
    """Return the language in force as a `Content-Language` header names it."""
    return _CONTENT_LANGUAGE[spoken()]


def say(key: str, /, **values: object) -> str:
    """Return a sentence of the catalogue in the language in force."""
    return translated(key, spoken(), **values)


def title_of(code: str) -> str:
    """Return the title of an error in the language in force; one of another version has none."""
    return chosen(catalogue().get(f"error.{code}.title", _UNKNOWN), spoken())


def hint_of(code: str, given: str) -> str:
    """Return what to do about an error, in the language in force.

    Args:
        code: Of the error.
        given: Its hint. One in English is replaced by the catalogue's in the language; one that
            was said in another language, with values in it, stays.
    """
    language, texts = spoken(), catalogue().get(f"error.{code}.hint", {})
    if language == "en":
        return given or texts.get("en", "")
    return given if _HAN.search(given) or not texts else chosen(texts, language)
