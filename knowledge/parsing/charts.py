"""Charts: the names and values a chart shows, as a table of categories by series.

It knows the values that a chart keeps of its workbook (ECMA-376 21.2); it does not open the
workbook and draws nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event

NO_VALUES = "it keeps no values of its workbook, which is not opened"
_LABELS = ("cat", "xVal")
_ROLES = (*_LABELS, "val", "yVal", "tx")
_FIGURES = 12  # of a value: more are noise of the computation


@dataclass(slots=True)
class _Series:
    name: str = ""
    labels: dict[int, str] = field(default_factory=dict)
    values: dict[int, str] = field(default_factory=dict)


def add_chart(writer: BlockWriter, events: Iterable[Event]) -> bool:
    """Add the values of a chart as tables, one for all series with the same categories.

    Returns:
        Whether there were any.
    """
    title, found = _read(events)
    shown = [series for series in found if series.values]
    while shown:
        first = shown[0]
        alike = [series for series in shown if series.labels == first.labels]
        shown = [series for series in shown if series.labels != first.labels]
        _add_table(writer, title, alike)
        title = ""
    if title:
        writer.text(title)
        writer.end_paragraph()
    return any(series.values for series in found)


def _read(events: Iterable[Event]) -> tuple[str, list[_Series]]:
    """Return the title of a chart, with those of its axes, and its series."""
    chart = _Chart()
    for kind, name, attributes in events:
        if kind == "start":
            chart.start(name, attributes.get("idx", ""))
        elif kind == "end":
            chart.end(name)
        else:
            chart.text(name)
    return " ".join(chart.title.split()), chart.series


class _Chart:
    """A chart that is being read."""

    def __init__(self) -> None:
        self.title = ""
        self.series: list[_Series] = []
        self._role = ""  # of the values: labels, values, name of the series
        self._place = 0
        self._taken = ""  # the element whose text is wanted
        self._is_share = False

    def start(self, name: str, place: str) -> None:
        if name == "ser":
            self.series.append(_Series())
        elif name in _ROLES:
            self._role = name
        elif name == "pt":
            self._place = int(place) if place.isdecimal() else 0
        elif name in ("t", "formatCode") or (name == "v" and self._role):
            self._taken = name

    def end(self, name: str) -> None:
        self._taken = ""
        if name in _ROLES:
            self._role, self._is_share = "", False
        elif name == "p":
            self.title += " "

    def text(self, text: str) -> None:
        if self._taken == "t":
            self.title += text
        elif self._taken == "formatCode":
            self._is_share = "%" in text
        elif self._taken and self.series:
            series, place = self.series[-1], self._place
            if self._role == "tx":
                series.name += text
            else:
                values = series.labels if self._role in _LABELS else series.values
                values[place] = values.get(place, "") + _shown(text, is_share=self._is_share)


def _shown(text: str, *, is_share: bool) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    if is_share:
        return f"{number * 100:.{_FIGURES}g}%"
    return text if text.lstrip("-").isdecimal() else f"{number:.{_FIGURES}g}"


def _add_table(writer: BlockWriter, title: str, alike: list[_Series]) -> None:
    labels = alike[0].labels
    places = sorted({*labels, *(place for series in alike for place in series.values)})
    writer.begin_table()
    writer.begin_row(is_header=True)
    for text in ("", *(series.name for series in alike)):
        writer.cell(text)
    writer.end_row()
    for place in places:
        writer.begin_row()
        for text in (labels.get(place, ""), *(s.values.get(place, "") for s in alike)):
            writer.cell(text)
        writer.end_row()
    writer.end_table(title)
