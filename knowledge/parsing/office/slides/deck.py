"""PowerPoint: slides in their order, each a page, with titles, lists, tables, charts and notes.

It knows which slides are shown and what a placeholder is for; it does not know how a shape's text
is written (`drawing`). Hidden slides and comments are left out, and told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.errors import ParseLimitExceeded
from knowledge.parsing.blocks import Heading
from knowledge.parsing.charts import NO_VALUES, add_chart
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.office.drawing import DrawingFlow
from knowledge.parsing.office.flow import Attributes
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.office.slides.bullets import NONE, Bullet, Layouts
from knowledge.parsing.office.slides.shapes import HIDDEN_SHAPE, WHY_UNSEEN, Shapes, size_of
from knowledge.parsing.package import Package
from knowledge.parsing.words.links import address_beside
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event

TITLES = ("title", "ctrTitle")
AROUND = ("sldNum", "hdr", "dt", "sldImg")  # of no slide in particular; footers are read
AROUND_NOTES = (*AROUND, "ftr")
WHY_HIDDEN = "the slide is hidden in the presentation; show it there to have it read"
WHY_NO_MEDIA = "sound and video are not read"
WHY_NO_COMMENTS = "comments are not meant for those who see the slides"
MEDIA = {
    "videoFile": "video",
    "audioFile": "sound",
    "quickTimeFile": "video",
    "wavAudioFile": "sound",
}
OUTER = ("Default Section", "Untitled Section")  # what PowerPoint calls what nobody named


@dataclass(frozen=True, slots=True)
class _Slide:
    number: int
    part: str
    section: str  # that begins with it


class _Shape(DrawingFlow):
    """The text of a slide or of its notes."""

    def __init__(self, deck: "_Deck", *, are_notes: bool = False) -> None:
        super().__init__(deck.writer, deck.left_out, "")
        self._deck = deck
        self._are_notes = are_notes
        self._part = ""  # the slide
        self._addresses: Mapping[str, str] = {}
        self._shapes = Shapes(0, 0)
        self._in_name = False
        self._title_addresses: list[str] = []
        self._placeholder: Mapping[str, str] | None = None
        self._is_around = False
        self.starts |= {
            "sp": lambda _: self._start_text_shape(),
            "grpSp": lambda _: self._start_shape(),
            "off": lambda found: self._shapes.set_place(found),
            "ext": self._set_size,
            "ph": self._set_placeholder,
            "pic": lambda _: self._start_picture(),
            "graphicFrame": lambda _: self._start_picture(),
            "cNvPr": self._name,
            "oleObj": lambda found: self.embed(found.get("progId", "")),
            **{name: self._medium(kind) for name, kind in MEDIA.items()},
        }
        self.ends |= {
            "sp": self._end_text_shape,
            "grpSp": self._end_shape,
            "pic": self._end_picture,
            "graphicFrame": self._end_picture,
            "cNvPr": self._end_name,
            **dict.fromkeys(("nvSpPr", "nvPicPr", "nvGraphicFramePr"), self.writer.caption),
        }

    def read(self, slide: _Slide, part: str, events: Iterable[Event]) -> None:
        """Add the text of a slide, or of a part that belongs to it."""
        self.place, self._part = f"slide {slide.number}", slide.part
        self._addresses = self._deck.package.addresses(part)
        self.set_addresses(self._addresses)
        self._shapes = Shapes(*((0, 0) if self._are_notes else self._deck.size))
        self.add(events)

    def where(self, opening: str) -> str:
        """Return the slide: it is enough to find anything on it."""
        return self.place

    def heading(self) -> int:
        """Return the level of a title: below the sections, where there are any."""
        kind = (self._placeholder or {}).get("type")
        return self._deck.title_level if kind in TITLES and not self._are_notes else 0

    def is_note(self) -> bool:
        """Tell whether this is beside the slide."""
        return self._are_notes

    def inherited(self, level: int) -> Bullet:
        """Return the bullet that the layout gives."""
        if self._placeholder is None or self._are_notes:
            return NONE
        return self._deck.layouts.bullet(self._part, self._placeholder, level)

    def add_words(self, text: str) -> None:
        """Add words, unless they stand on every slide, or where nobody sees them."""
        if not self._is_around and not self._tell_unseen(text):
            super().add_words(text)

    def add_address(self, address: str) -> None:
        """Add where a link leads: below a title, elsewhere after its words."""
        if address and self.heading():
            self._title_addresses.append(address)
        else:
            super().add_address(address)

    def _tell_unseen(self, text: str) -> bool:
        """Tell that a shape is not seen, once it has words; say whether it is not."""
        shape = self._shapes.unseen
        if shape is None:
            return False
        if text.strip() and not shape.is_told:
            shape.is_told = True
            self.left_out.add(shape.unseen, self.place, WHY_UNSEEN)
        return True

    def _start_shape(self) -> None:
        self._shapes.begin(len(self.writer.blocks_of_frame()))

    def _end_shape(self) -> None:
        shape = self._shapes.end()
        if shape is None:
            return
        if shape.relation:
            self.heard[:] = [words for words in self.heard if words is not shape.words]
            address = self._addresses.get(shape.relation, "")
            self._write_address(address_beside("".join(shape.words), address))
        for address in self._title_addresses:
            self._write_address(address)
        self._title_addresses.clear()

    def _write_address(self, address: str) -> None:
        if address and not self._shapes.unseen:
            self.writer.text(f"({address})")
            self.writer.end_paragraph()

    def _start_text_shape(self) -> None:
        self._start_shape()
        self._placeholder = None
        self._is_around = False

    def _end_text_shape(self) -> None:
        self._end_shape()
        self._placeholder = None
        self._is_around = False

    def _start_picture(self) -> None:
        self._start_shape()
        self.start_drawing()

    def _end_picture(self) -> None:
        if self._shapes.unseen:
            self.is_told()
        self.end_drawing()
        self._end_shape()

    def _set_size(self, attributes: Attributes) -> None:
        """Take the size of a shape; what was read of one that stands outside is taken back."""
        shape = self._shapes.innermost
        if "cx" in attributes and shape and self._shapes.set_size(attributes):
            blocks = self.writer.blocks_of_frame()
            self._tell_unseen("described" if blocks[shape.begins :] else "")
            del blocks[shape.begins :]

    def _set_placeholder(self, attributes: Attributes) -> None:
        self._placeholder = dict(attributes)
        left_out = AROUND_NOTES if self._are_notes else AROUND
        self._is_around = attributes.get("type", "") in left_out

    def _name(self, attributes: Attributes) -> None:
        """Take what a shape is called, described as, and whether it is hidden."""
        self._in_name = True
        shape, text = self._shapes.innermost, attributes.get("descr", "")
        if shape and attributes.get("hidden") in ("1", "true"):
            shape.unseen = HIDDEN_SHAPE
        if text.strip() and not self._tell_unseen(text):
            self.describe(text)
            for words in self.heard:
                words.append(text)

    def _end_name(self) -> None:
        self._in_name = False

    def _set_link(self, relation: str) -> None:
        shape = self._shapes.innermost
        if not self._in_name:
            super()._set_link(relation)
        elif shape and not shape.relation:
            shape.relation = relation
            self.heard.append(shape.words)

    def _medium(self, kind: str) -> Callable[[Attributes], None]:
        return lambda _: self.leave(kind, WHY_NO_MEDIA)


class _Deck:
    """A presentation that is being read."""

    def __init__(self, writer: BlockWriter, package: Package) -> None:
        self.writer = writer
        self.package = package
        self.left_out = LeftOut()
        self.layouts = Layouts(package)
        self.slides, self.size = _slides(package)
        self._shape, self._note = _Shape(self), _Shape(self, are_notes=True)
        self.title_level = 2 if any(slide.section for slide in self.slides) else 1

    def read(self) -> None:
        """Add the slides."""
        section = ""
        for slide in self.slides:
            self.writer.start_page()
            section = slide.section or section
            events = self.package.events(slide.part)
            if _is_hidden(next(events, None)):
                self.left_out.add("hidden slide", f"slide {slide.number}", WHY_HIDDEN)
                continue
            if section:
                self.writer.text(section)
                self.writer.end_paragraph(heading=1)
                section = ""
            self._add(slide, events)
        self.left_out.tell(self.writer)

    def _add(self, slide: _Slide, events: Iterator[Event]) -> None:
        """Add a slide, its title first, wherever it stands in the file."""
        package, writer, part = self.package, self.writer, slide.part
        writer.push()
        self._shape.read(slide, part, events)
        blocks = writer.pop()
        blocks.sort(key=lambda block: not isinstance(block, Heading))
        writer.blocks_of_frame().extend(blocks)
        for chart in package.related(part, ("chart",)):
            if not add_chart(writer, package.events(chart)):
                self.left_out.add("chart", f"slide {slide.number}", NO_VALUES)
        if package.related(part, ("chartEx",)):
            self.left_out.add("chart", f"slide {slide.number}", "its kind of chart is not read")
        for diagram in package.related(part, ("diagramData",)):
            self._shape.read(slide, diagram, package.events(diagram))
        for notes in package.related(part, ("notesSlide",)):
            self._note.read(slide, notes, package.events(notes))
        if package.related(part, ("comments", "comment")):
            self.left_out.add("comments", f"slide {slide.number}", WHY_NO_COMMENTS)


def read_slides(writer: BlockWriter, package: Package, limits: ParseLimits) -> None:
    """Add the slides of a presentation.

    Raises:
        DamagedFile, PasswordRequired, ParseLimitExceeded: As they say.
    """
    deck = _Deck(writer, package)
    if len(deck.slides) > limits.pages:
        raise ParseLimitExceeded(
            f"{package.filename!r} has {len(deck.slides)} slides; at most {limits.pages} "
            "(knowledge.parse_pages)"
        )
    deck.read()


def _slides(package: Package) -> tuple[list[_Slide], tuple[int, int]]:
    """Return the slides in their order, and how large they are; sections list them by id."""
    size = (0, 0)
    targets = package.targets(package.main)
    parts: list[tuple[str, str]] = []
    begins: dict[str, str] = {}
    section = ""
    for kind, name, attributes in package.events(package.main):
        if kind != "start":
            continue
        if name == "sldSz":
            size = size_of(attributes)
        elif name == "section":
            section = attributes.get("name", "")
        elif name == "sldId" and attributes.get("r:id") in targets:
            parts.append((attributes.get("id", ""), targets[attributes["r:id"]][1]))
        elif name == "sldId" and section:
            begins[attributes.get("id", "")] = "" if section in OUTER else section
            section = ""
    return [
        _Slide(number, part, begins.get(slide, "") if len(begins) > 1 else "")
        for number, (slide, part) in enumerate(parts, 1)
    ], size


def _is_hidden(root: Event | None) -> bool:
    return root is not None and root.attributes.get("show", "1") in ("0", "false")
