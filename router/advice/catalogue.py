"""Every text of the advice, in Chinese and English, from `catalogue.yaml`: read once, and checked.

A text is named by its place in the file, e.g. `risks.pilot`. It may have placeholders, `{rows}`,
the same ones in both languages. It knows no case.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Final

import yaml

from router.text import Text

CATALOGUE_FILE: Final = Path(__file__).with_name("catalogue.yaml")
_LANGUAGES: Final = {"zh", "en"}
# Ten times as fast, where PyYAML was built with it.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.cache
def load_catalogue() -> Mapping[str, Text]:
    """Return every text of the file that ships, by its name."""
    return parse_catalogue(CATALOGUE_FILE.read_text(encoding="utf-8"))


def parse_catalogue(content: str) -> dict[str, Text]:
    """Read and check a catalogue.

    Args:
        content: The YAML text: sections in sections, and at last `{zh, en}`.

    Returns:
        Name to text.

    Raises:
        ValueError: A language is missing or empty, or the placeholders differ; the name is given.
    """
    return dict(_texts(yaml.load(content, Loader=_LOADER), ""))


def text(name: str, /, **values: str | int | Text) -> Text:
    """Return a text, filled in.

    Args:
        name: Its place in the catalogue.
        values: What stands for each placeholder; a text is filled in language by language.

    Raises:
        KeyError: There is no such text, or a placeholder has no value.
    """
    template = load_catalogue()[name]
    if not values:
        return template
    zh = {key: value.zh if isinstance(value, Text) else value for key, value in values.items()}
    en = {key: value.en if isinstance(value, Text) else value for key, value in values.items()}
    return Text(zh=template.zh.format_map(zh), en=template.en.format_map(en))


def join(texts: Iterable[Text], separator: str) -> Text:
    """Return texts as one, with `lists.<separator>` between them."""
    parts, between = tuple(texts), text(f"lists.{separator}")
    return Text(
        zh=between.zh.join(part.zh for part in parts), en=between.en.join(part.en for part in parts)
    )


def section(name: str) -> dict[str, Text]:
    """Return the texts of one section, by their names in it."""
    start = f"{name}."
    return {
        key.removeprefix(start): each
        for key, each in load_catalogue().items()
        if key.startswith(start)
    }


def placeholders(template: str) -> set[str]:
    """Return the names that are filled into a template."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def _texts(content: object, place: str) -> Iterator[tuple[str, Text]]:
    """Yield name and text of everything in a section."""
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{place or 'the catalogue'}: must be a section or a text in zh and en")
    if not _LANGUAGES & content.keys():
        for key, inner in content.items():
            yield from _texts(inner, f"{place}.{key}" if place else str(key))
        return
    if content.keys() != _LANGUAGES or not all(
        isinstance(each, str) and each for each in content.values()
    ):
        raise ValueError(f"{place}: needs a text in zh and in en, and nothing else")
    found = Text(zh=content["zh"], en=content["en"])
    if placeholders(found.zh) != placeholders(found.en):
        raise ValueError(f"{place}: zh and en have different placeholders")
    yield place, found
