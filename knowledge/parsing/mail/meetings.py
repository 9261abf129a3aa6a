"""Entries of a calendar as text: what, when, where, who.

It knows iCalendar (RFC 5545); times stay in the zone they are told in, and what repeats is told by
its rule: it does not know zones, nor when a meeting takes place again.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from knowledge.parsing.blocks import Paragraph

ENTRIES = {"VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Entry"}
LABELS = {
    "STATUS": "Status", "RRULE": "Repeats", "LOCATION": "Where",
    "URL": "Link", "CATEGORIES": "About", "COMMENT": "Comment", "CONTACT": "Contact",
}  # fmt: skip
TIMES = {"DUE": "Due", "RECURRENCE-ID": "Instead of", "EXDATE": "Not on"}
ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
_FOLD = re.compile(r"\n[ \t]")
_LINE = re.compile(r'([\w-]+)((?:;[^":;=]+=(?:"[^"]*"|[^":;])*)*):(.*)')
_PARAMETER = re.compile(r';([^":;=]+)=("[^"]*"|[^":;]*)')
_ESCAPE = re.compile(r"\\(.)")
_DURATION = re.compile(
    r"\+?P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:\d+S)?)?"
)

Time = date | datetime


class Property(NamedTuple):
    """One line of an entry."""

    value: str
    parameters: Mapping[str, str] = {}


Entry = dict[str, list[Property]]


def read_meetings(text: str) -> list[Paragraph]:
    """Return the entries of a calendar, each with what is written about it as a block after it."""
    blocks: list[Paragraph] = []
    is_cancelled = re.search(r"(?mi)^METHOD:CANCEL\s*$", text) is not None
    for kind, entry in _entries(_FOLD.sub("", text)):
        if is_cancelled:
            entry.setdefault("STATUS", [Property("CANCELLED")])
        lines = filter(None, _lines(kind, entry))
        told = "\n".join(_plain(item.value) for item in entry.get("DESCRIPTION", ()))
        blocks += [Paragraph(words) for words in ("\n".join(lines), told.strip()) if words]
    return blocks


def _entries(text: str) -> Iterator[tuple[str, Entry]]:
    """Yield the entries; alarms and zones are none."""
    open_parts: list[str] = []
    entry: Entry = {}
    for line in text.split("\n"):
        if not (found := _LINE.match(line.strip())):
            continue
        name, value = found[1].upper(), found[3].strip()
        if name == "BEGIN":
            open_parts.append(value.upper())
            entry = {} if value.upper() in ENTRIES else entry
        elif name == "END" and open_parts:
            if (kind := open_parts.pop()) in ENTRIES:
                yield kind, entry
        elif open_parts and open_parts[-1] in ENTRIES:
            parameters = {
                key.upper(): word.strip('"') for key, word in _PARAMETER.findall(found[2])
            }
            entry.setdefault(name, []).append(Property(value, parameters))
    if open_parts and open_parts[-1] in ENTRIES and entry:
        yield open_parts[-1], entry  # the file is cut off


def _lines(kind: str, entry: Entry) -> Iterator[str]:
    titles = [_plain(item.value) for item in entry.get("SUMMARY", ())]
    yield f"{ENTRIES[kind]}: {' '.join(titles)}".rstrip()
    if when := _when(entry):
        yield f"When: {when}"
    for name, label in TIMES.items():
        if times := ", ".join(map(_told, entry.get(name, ()))):
            yield f"{label}: {times}"
    for name, label in LABELS.items():
        words = ", ".join(filter(None, (_plain(item.value) for item in entry.get(name, ()))))
        if words:
            yield f"{label}: {words}"
    for name, label in (("ORGANIZER", "Organizer"), ("ATTENDEE", "Attendees")):
        if people := ", ".join(filter(None, map(_person, entry.get(name, ())))):
            yield f"{label}: {people}"


def _when(entry: Entry) -> str:
    """Return when it begins and ends; the end of whole days is told as the day after the last."""
    begins, ends = entry.get("DTSTART", [])[:1], entry.get("DTEND", [])[:1]
    if not begins:
        return ""
    start = _time(begins[0].value)
    end = _time(ends[0].value) if ends else _after(start, entry.get("DURATION", []))
    if start is None or end is None or type(start) is not type(end) or end <= start:
        return " to ".join(map(_told, begins + ends))
    if not isinstance(end, datetime):
        end -= timedelta(days=1)
    zone, last_zone = _zone(begins[0]), _zone((ends or begins)[0])
    if end == start:
        return _date(start) + zone
    if zone != last_zone:
        return f"{_date(start)}{zone} to {_date(end)}{last_zone}"
    is_same_day = _date(start)[:10] == _date(end)[:10]
    return f"{_date(start)} to {_date(end)[11 * is_same_day :]}{zone}"


def _told(item: Property) -> str:
    """Return a time as it is told; as it is written where it is none."""
    time = _time(item.value)
    return _date(time) + _zone(item) if time else item.value


def _date(time: Time) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if isinstance(time, datetime) else f"{time:%Y-%m-%d}"


def _time(value: str) -> Time | None:
    digits = value.rstrip("Zz")
    for form in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M"):
        try:
            return datetime.strptime(digits, form)
        except ValueError:
            continue
    try:
        return datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None


def _zone(item: Property) -> str:
    if item.value[-1:] in ("Z", "z"):
        return " UTC"
    zone = item.parameters.get("TZID", "")
    return f" ({zone})" if zone else ""


def _after(start: Time | None, durations: Sequence[Property]) -> Time | None:
    found = _DURATION.fullmatch(durations[0].value.upper()) if durations else None
    if start is None or found is None:
        return None
    weeks, days, hours, minutes = (int(number or 0) for number in found.groups())
    try:
        return start + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    except OverflowError:
        return None


def _person(item: Property) -> str:
    name = item.parameters.get("CN", "")
    address = re.sub(r"(?i)^mailto:", "", item.value)
    answer = ANSWERS.get(item.parameters.get("PARTSTAT", "").upper(), "")
    who = f"{name} <{address}>" if name and address and name != address else name or address
    return f"{who} ({answer})" if answer else who


def _plain(value: str) -> str:
    """Return text without its escapes."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()
