"""Formulas of Office (`m:oMath`) as one line: `x^2`, `(a+b)/c`, `√(2)`.

It knows the elements of Office Math (ECMA-376 22.1) that change what digits mean; it does not lay
out anything.
"""

from collections.abc import Callable, Mapping

from knowledge.parsing.blocks import Paragraph
from knowledge.parsing.writer import BlockWriter

Start = Callable[[Mapping[str, str]], None]
End = Callable[[], None]


class Formula:
    """The formula that is open in a paragraph, if any."""

    def __init__(self, writer: BlockWriter) -> None:
        """Write formulas to `writer`."""
        self._writer = writer
        self._depth = 0
        self._rises: list[str] = []
        self._brackets: list[list[str]] = []
        self._sign = ""
        self.starts: dict[str, Start] = {  # of elements inside it
            "e": lambda _: self._open_bracket(),
            "sup": lambda _: self._rises.append("superscript"),
            "deg": lambda _: self._rises.append("superscript"),
            "sub": lambda _: self._rises.append("subscript"),
            "num": lambda _: self._part(),
            "den": lambda _: self._part(),
            "rad": lambda _: self._write("√("),
            "d": lambda _: self._brackets.append(["(", ")"]),
            "begChr": lambda attributes: self._bracket(0, attributes),
            "endChr": lambda attributes: self._bracket(1, attributes),
            "naryPr": lambda _: self._set_sign("∫"),
            "chr": lambda attributes: self._set_sign(attributes.get("val", "")),
        }
        self.ends: dict[str, End] = {
            "sup": self._level,
            "deg": self._level,
            "sub": self._level,
            "num": lambda: self._end_part("/"),
            "den": lambda: self._end_part(""),
            "rad": lambda: self._write(")"),
            "d": lambda: self._write(self._brackets.pop()[1] if self._brackets else ""),
            "naryPr": lambda: self._write(self._sign),
        }

    @property
    def rise(self) -> str:
        """Where the next words stand: `superscript`, `subscript` or on the line (empty)."""
        return self._rises[-1] if self._rises else ""

    @property
    def is_open(self) -> bool:
        """What is read now belongs to a formula."""
        return self._depth > 0

    def begin(self, _: Mapping[str, str]) -> None:
        """Begin a formula."""
        self._depth += 1

    def end(self) -> None:
        """End it."""
        self._depth -= 1

    def _level(self) -> None:
        if self._rises:
            self._rises.pop()

    def _write(self, text: str) -> None:
        if not text:
            return
        write = {"superscript": self._writer.raised, "subscript": self._writer.lowered}
        write.get(self.rise, self._writer.text)(text)

    def _part(self) -> None:
        self._rises.append("")
        self._writer.push()

    def _end_part(self, after: str) -> None:
        words = " ".join(b.text for b in self._writer.pop() if isinstance(b, Paragraph))
        self._level()
        self._write((words if words.isalnum() else f"({words})") + after)

    def _open_bracket(self) -> None:
        if self._brackets:
            self._write(self._brackets[-1][0])
            self._brackets[-1][0] = ""

    def _bracket(self, place: int, attributes: Mapping[str, str]) -> None:
        if self._brackets:
            self._brackets[-1][place] = attributes.get("val", "")

    def _set_sign(self, sign: str) -> None:
        self._sign = sign
