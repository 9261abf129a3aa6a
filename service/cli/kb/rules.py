"""Who may read the files of a folder: `.fingerpost-access` files and the option `--access`.

It knows how labels are written down and which rule holds for a file; it does not know what a
document without a rule gets (the knowledge base follows its place and content).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from service.cli.kb.system_files import RULES_FILE
from service.cli.output import CommandFailed

NONE = "none"
MAX_LABEL_CHARS = 64  # as the knowledge base takes them

AccessOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL",
        help=(
            "Access label of the documents; may be repeated. `none`: everybody may read them "
            "(default: the labels that a document or its text has or had)."
        ),
    ),
]


@dataclass(frozen=True, slots=True)
class Rule:
    """Labels that documents get, none for everybody, and where that is written."""

    labels: tuple[str, ...]
    source: str

    def __str__(self) -> str:
        return f"{self.source} says {', '.join(self.labels) or NONE}"


class AccessRules:
    """The rules for the files of one command; each `.fingerpost-access` is read once."""

    def __init__(self, option: Sequence[str] | None) -> None:
        """Take the words of `--access`.

        Raises:
            CommandFailed: They are no labels.
        """
        self._option = None if option is None else _rule(list(option), "--access")
        self._of_folders: dict[Path, Rule | CommandFailed | None] = {}

    def labels_of(self, file: Path) -> tuple[str, ...] | None:
        """Return the labels that a file gets by a rule, None where there is no rule for it.

        A `.fingerpost-access` holds for its folder and everything below; the nearest wins. A link
        to a file obeys the folder that it stands in and the file's own.

        Raises:
            CommandFailed: A rule cannot be read, or two say different things.
        """
        places = {Path(os.path.abspath(file)).parent, Path(os.path.realpath(file)).parent}
        found = [self._nearest(place) for place in sorted(places)] + [self._option]
        rules = [rule for rule in found if rule is not None]
        for rule in rules[1:]:
            if rule.labels != rules[0].labels:
                message = f"{file}: {rules[0]}, {rule}. Let only one of them speak of this file."
                raise CommandFailed(message, code="access_rules_disagree")
        return rules[0].labels if rules else None

    def _nearest(self, folder: Path) -> Rule | None:
        if folder not in self._of_folders:
            self._of_folders[folder] = self._read(folder)
        found = self._of_folders[folder]
        if isinstance(found, CommandFailed):
            raise found
        return found

    def _read(self, folder: Path) -> Rule | CommandFailed | None:
        file = folder / RULES_FILE
        try:
            if os.path.lexists(file):
                return _read_rule(file)
            return None if folder == folder.parent else self._nearest(folder.parent)
        except CommandFailed as exc:
            return exc


def _read_rule(file: Path) -> Rule:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise _bad_rule(f"{file} cannot be read: {reason}") from exc
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    words = [(number, line) for number, line in lines if line and not line.startswith("#")]
    for number, line in words:
        _require_label(line, f"{file}, line {number}")
    return _rule([line for _, line in words], str(file))


def _rule(words: Sequence[str], source: str) -> Rule:
    if not words:
        raise _bad_rule(f"{source} holds no label")
    for word in words:
        _require_label(word, source)
    labels = tuple(sorted(set(words)))
    if labels == (NONE,):
        return Rule((), source)
    if NONE in labels:
        raise _bad_rule(f"{source}: {NONE!r} stands beside other labels")
    return Rule(labels, source)


def _require_label(word: str, source: str) -> None:
    if not 0 < len(word.strip()) <= MAX_LABEL_CHARS or " #" in word or not word.isprintable():
        raise _bad_rule(f"{source}: {word[:80]!r} is no label")


def _bad_rule(message: str) -> CommandFailed:
    what = (
        f"Write one label of 1 to {MAX_LABEL_CHARS} characters a line, a comment on a line of its "
        f"own after #, or the single word {NONE} for everybody."
    )
    return CommandFailed(f"{message}. {what}", code="bad_access_rule")
