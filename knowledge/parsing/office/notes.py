"""Footnotes and endnotes of Word: the mark each has in the text, and where the note is written.

It knows how notes are numbered; it does not know how their text is read.
"""

from dataclasses import dataclass

from knowledge.parsing.blocks import Block, Note, Paragraph
from knowledge.parsing.counting import count
from knowledge.parsing.package import Package
from knowledge.parsing.raised import note_mark
from knowledge.parsing.writer import BlockWriter

STYLES = {"footnote": "decimal", "endnote": "lowerRoman"}  # ECMA-376 17.11.17, 17.11.18


@dataclass(slots=True)
class _Kind:
    style: str
    next: int = 1


class Notes:
    """The notes of a document, each written once, near the first place that names it."""

    def __init__(self, package: Package) -> None:
        """Read how they are numbered."""
        self._kinds = {name: _Kind(style) for name, style in STYLES.items()}
        self._blocks: dict[tuple[str, str], list[Block]] = {}
        self._marks: dict[tuple[str, str], str] = {}
        self._waiting: list[Block] = []
        for part in package.related(package.main, ("settings",)):
            self._read_settings(package, part)

    def keep(self, kind: str, note_id: str, blocks: list[Block]) -> None:
        """Keep the text of a note until it is named."""
        self._blocks[kind, note_id] = blocks

    def refer(self, kind: str, note_id: str, *, has_own_mark: bool = False) -> str:
        """Return the mark of a note that the text names; empty where the text has it itself."""
        key = (kind, note_id)
        if has_own_mark:
            self._waiting += self._blocks.pop(key, [])
            return ""
        if key not in self._marks:
            numbers = self._kinds[kind]
            self._marks[key] = count(numbers.next, numbers.style)
            numbers.next += 1
            self._waiting += _marked(self._marks[key], self._blocks.pop(key, []))
        return self._marks[key]

    def add_waiting(self, writer: BlockWriter) -> None:
        """Write the notes that were named since the last time."""
        if self._waiting:
            writer.blocks_of_frame().extend(self._waiting)
            self._waiting.clear()

    def add_rest(self, writer: BlockWriter) -> None:
        """Write the notes that wait and those that nothing names."""
        writer.end_paragraph()
        self.add_waiting(writer)
        for blocks in self._blocks.values():
            writer.blocks_of_frame().extend(map(_as_note, blocks))
        self._blocks.clear()

    def _read_settings(self, package: Package, part: str) -> None:
        kind = ""
        for event, name, attributes in package.events(part):
            value = attributes.get("val", "")
            if name in ("footnotePr", "endnotePr"):
                kind = name.removesuffix("Pr") if event == "start" else ""
            elif kind and event == "start" and name == "numFmt":
                self._kinds[kind].style = value
            elif kind and event == "start" and name == "numStart" and value.isdecimal():
                self._kinds[kind].next = int(value)


def _marked(mark: str, blocks: list[Block]) -> list[Block]:
    """Return a note's blocks, the first of which begins with its mark."""
    notes = [_as_note(block) for block in blocks]
    match notes[:1]:
        case [Note(text)]:
            return [Note(f"{note_mark(mark)} {text}"), *notes[1:]]
        case [_]:
            return [Note(note_mark(mark)), *notes]
        case _:
            return []


def _as_note(block: Block) -> Block:
    return Note(block.text) if isinstance(block, Paragraph) else block
