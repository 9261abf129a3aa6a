"""What stands around words in Word: links, tracked deletions, readings, boxes, what is not shown.

It knows elements and fields that begin before words and end after them (ECMA-376 17.16, 17.13.5,
17.3.3.25); it does not know paragraphs and tables (`story`).
"""

import re
from collections.abc import Callable, Mapping

from knowledge.parsing.office.flow import Attributes, Flow
from knowledge.parsing.office.forms import FormField
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.office.links import Links
from knowledge.parsing.office.styles import is_on
from knowledge.parsing.writer import BlockWriter

NO_CONTROLS = "controls of a form (ActiveX) are not read"
_UNSEEN = re.compile(r"visibility\s*:\s*hidden", re.IGNORECASE)
Starts = dict[str, Callable[[Attributes], None]]


class SpanFlow(Flow):
    """Adds words with what stands around them."""

    def __init__(
        self, writer: BlockWriter, left_out: LeftOut, place: str, addresses: Mapping[str, str]
    ) -> None:
        """Write to `writer`; `addresses`: relationship id → where a link leads."""
        super().__init__(writer, left_out, place)
        self._links = Links(addresses)
        self._field = FormField()
        self._is_box = False  # the open control
        self._box = ""  # … that is not written yet
        self._reading: list[str] = []
        self._is_hidden_drawing = False
        self.starts |= {**self._starts_of_spans(), **self._starts_of_fields()}
        self.ends |= {
            "hyperlink": self._end_link,
            "fldSimple": self._end_field,
            "instrText": lambda: self.set_sink(None),
            "del": self._end_deletion,
            "delText": lambda: self.set_sink(None),
            "rt": self._end_reading,
            "rubyBase": self._end_base,
            "sdtContent": self._end_control,
            "pict": self.end_drawing,
            "object": self.end_drawing,
            "checkBox": lambda: self.add_sign(self._field.box()),
            "ddList": lambda: self.add_sign(self._field.entry()),
        }

    def _starts_of_spans(self) -> Starts:
        return {
            "hyperlink": lambda found: self.heard.append(self._links.begin(found.get("r:id", ""))),
            "fldSimple": self._start_simple_field,
            "fldChar": self._mark_field,
            "instrText": lambda _: self.set_sink(self._links.instruct),
            "del": lambda _: self._start_deletion(),
            "delText": lambda _: self.set_sink(self.add_words if self.deletions else None),
            "rt": lambda _: self._start_reading(),
            "rubyBase": lambda _: self.heard.append([]),
            "pict": lambda _: self.start_drawing(),
            "object": lambda _: self.start_drawing(),
            "docPr": self._describe,
            "cNvPr": lambda found: self.describe(found.get("descr", "")),
            "shape": self._describe_shape,
            "textpath": lambda found: self.describe(found.get("string", "")),
            "control": lambda _: self._tell_control(),
        }

    def _starts_of_fields(self) -> Starts:
        return {
            "sdtPr": lambda _: self._start_control(),
            "checkbox": lambda _: self._start_check_box(),
            "sdtContent": lambda _: self._start_content(),
            "checkBox": lambda _: self._start_field(),
            "ddList": lambda _: self._start_field(),
            "checked": lambda found: self._field.check(is_on=is_on(found)),
            "default": self._set_default,
            "listEntry": lambda found: self._field.offer(found),
            "result": lambda found: self._field.choose(found),
        }

    # Links

    def _end_link(self) -> None:
        if self.heard:
            self.heard.pop()
            self.add_address(self._links.end())

    def _start_simple_field(self, attributes: Attributes) -> None:
        self._links.begin_field()
        self._links.instruct(attributes.get("instr", ""))
        self._start_result()

    def _mark_field(self, attributes: Attributes) -> None:
        match attributes.get("fldCharType"):
            case "begin":
                self._links.begin_field()
            case "separate":
                self._start_result()
            case "end":
                self._end_field()

    def _start_result(self) -> None:
        words = self._links.begin_result()
        if words is not None:
            self.heard.append(words)

    def _end_field(self) -> None:
        if self._links.end_field():
            self._end_link()

    # Deletions and readings

    def _start_deletion(self) -> None:
        self.deletions += 1

    def _end_deletion(self) -> None:
        self.deletions -= 1

    def _start_reading(self) -> None:
        self._reading = []
        self.read_words = self._reading.append

    def _end_reading(self) -> None:
        self.read_words = self.add_words

    def _end_base(self) -> None:
        base = "".join(self.heard.pop()) if self.heard else ""
        self.writer.reading(base, "".join(self._reading))

    # Boxes

    def _start_control(self) -> None:
        self._is_box = False

    def _start_check_box(self) -> None:
        self._is_box = True
        self._start_field()

    def _start_content(self) -> None:
        """Begin what a control shows; a box says it by its state, whatever its sign is."""
        if self._is_box:
            self._box = self._field.box()
            self.read_words = self._write_check_box

    def _write_check_box(self, words: str) -> None:
        if self._box:
            self.add_sign(self._box)
            self._box = ""

    def _end_control(self) -> None:
        if self._is_box:
            self._write_check_box("")
            self.read_words = self.add_words
        self._is_box = False

    def show_sign(self, sign: str) -> None:
        """Add a sign, or the box in whose control it stands."""
        if self.read_words == self._write_check_box:
            self._write_check_box(sign)
        else:
            self.add_sign(sign)

    def _start_field(self) -> None:
        self._field = FormField()

    def _set_default(self, attributes: Attributes) -> None:
        self._field.check(is_on=is_on(attributes))
        self._field.choose(attributes)

    # Drawings

    def _describe(self, attributes: Attributes) -> None:
        is_hidden = is_on(attributes, "hidden", missing=False)
        self._describe_or_hide(attributes.get("descr", ""), is_hidden=is_hidden)

    def _describe_shape(self, attributes: Attributes) -> None:
        is_hidden = _UNSEEN.search(attributes.get("style", "")) is not None
        self._describe_or_hide(attributes.get("alt", ""), is_hidden=is_hidden)

    def _describe_or_hide(self, words: str, *, is_hidden: bool) -> None:
        if is_hidden and not self._is_hidden_drawing:
            self._is_hidden_drawing = True
            self.unseen += 1
        elif not is_hidden:
            self.describe(words)

    def end_drawing(self) -> None:
        """End a drawing."""
        if self._is_hidden_drawing:
            self._is_hidden_drawing = False
            self.unseen -= 1
        super().end_drawing()

    def _tell_control(self) -> None:
        self.leave("form control", NO_CONTROLS)
        self.is_told()
