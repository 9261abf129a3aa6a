"""PowerPoint: slides in their order, each a page, with titles, lists, tables, charts and notes.

It knows which slides are shown and what a placeholder is for; it does not know how a shape's text
is written (`drawing`). Hidden slides and comments are left out, and told.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.errors import ParseLimitExceeded
from knowledge.parsing.blocks import Heading
from knowledge.parsing.charts import NO_VALUES, add_chart
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.office.bullets import NONE, Bullet, Layouts
from knowledge.parsing.office.drawing import DrawingFlow
from knowledge.parsing.office.flow import Attributes
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.package import Package
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

    def __init__(self, deck: "_Deck", slide: _Slide, *, are_notes: bool = False) -> None:
        super().__init__(deck.writer, deck.left_out, f"slide {slide.number}")
        self._deck = deck
        self._slide = slide
        self._are_notes = are_notes
        self._placeholder: Mapping[str, str] | None = None
        self._is_around = False
        self.starts |= {
            "sp": lambda _: self._start_shape(),
            "ph": self._set_placeholder,
            "pic": lambda _: self.start_drawing(),
            "graphicFrame": lambda _: self.start_drawing(),
            "cNvPr": self._describe,
            "oleObj": lambda found: self.embed(found.get("progId", "")),
            **{name: self._medium(kind) for name, kind in MEDIA.items()},
        }
        self.ends |= {
            "sp": self._start_shape,
            "pic": self.end_drawing,
            "graphicFrame": self.end_drawing,
            **dict.fromkeys(("nvSpPr", "nvPicPr", "nvGraphicFramePr"), self.writer.caption),
        }

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
        return self._deck.layouts.bullet(self._slide.part, self._placeholder, level)

    def add_words(self, text: str) -> None:
        """Add words, unless they stand on every slide."""
        if not self._is_around:
            super().add_words(text)

    def _start_shape(self) -> None:
        self._placeholder = None
        self._is_around = False

    def _set_placeholder(self, attributes: Attributes) -> None:
        self._placeholder = dict(attributes)
        left_out = AROUND_NOTES if self._are_notes else AROUND
        self._is_around = attributes.get("type", "") in left_out

    def _describe(self, attributes: Attributes) -> None:
        text = attributes.get("descr", "")
        if text.strip():
            self.describe(text)

    def _medium(self, kind: str) -> Callable[[Attributes], None]:
        return lambda _: self.leave(kind, WHY_NO_MEDIA)


class _Deck:
    """A presentation that is being read."""

    def __init__(self, writer: BlockWriter, package: Package) -> None:
        self.writer = writer
        self.package = package
        self.left_out = LeftOut()
        self.layouts = Layouts(package)
        self.slides = _slides(package)
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
        _Shape(self, slide).add(events)
        blocks = writer.pop()
        blocks.sort(key=lambda block: not isinstance(block, Heading))
        writer.blocks_of_frame().extend(blocks)
        for chart in package.related(part, ("chart",)):
            if not add_chart(writer, package.events(chart)):
                self.left_out.add("chart", f"slide {slide.number}", NO_VALUES)
        if package.related(part, ("chartEx",)):
            self.left_out.add("chart", f"slide {slide.number}", "its kind of chart is not read")
        for diagram in package.related(part, ("diagramData",)):
            _Shape(self, slide).add(package.events(diagram))
        for notes in package.related(part, ("notesSlide",)):
            _Shape(self, slide, are_notes=True).add(package.events(notes))
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


def _slides(package: Package) -> list[_Slide]:
    """Return the slides in their order; sections list them by id."""
    targets = package.targets(package.main)
    parts: list[tuple[str, str]] = []
    begins: dict[str, str] = {}
    section = ""
    for kind, name, attributes in package.events(package.main):
        if kind != "start":
            continue
        if name == "section":
            section = attributes.get("name", "")
        elif name == "sldId" and attributes.get("r:id") in targets:
            parts.append((attributes.get("id", ""), targets[attributes["r:id"]][1]))
        elif name == "sldId" and section:
            begins[attributes.get("id", "")] = "" if section in OUTER else section
            section = ""
    return [
        _Slide(number, part, begins.get(slide, "") if len(begins) > 1 else "")
        for number, (slide, part) in enumerate(parts, 1)
    ]


def _is_hidden(root: Event | None) -> bool:
    return root is not None and root.attributes.get("show", "1") in ("0", "false")
