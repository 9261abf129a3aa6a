"""Entries of a calendar say what, when, where and who."""

import pytest

from knowledge.parsing.mail.meetings import read_meetings

REVIEW = """\
BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:16010101T030000
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY;LANGUAGE=en:Quarterly review\\, north
DTSTART;TZID="W. Europe Standard Time":20260414T093000
DTEND;TZID="W. Europe Standard Time":20260414T103000
LOCATION:Room Elbe
 \\, second floor
ORGANIZER;CN="Ann Berg":mailto:ann@example.com
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Ben:MAILTO:ben@example.com
ATTENDEE;RSVP=TRUE:mailto:cy@example.com
DESCRIPTION:Bring the figures.\\nDoor code 7741.
RRULE:FREQ=WEEKLY;COUNT=4
BEGIN:VALARM
TRIGGER:-PT15M
DESCRIPTION:REMINDER
END:VALARM
END:VEVENT
BEGIN:VTODO
SUMMARY:缴纳房租
DUE:20260420T120000Z
END:VTODO
END:VCALENDAR
"""


def _texts(text: str) -> list[str]:
    return [block.text for block in read_meetings(text)]


def test_a_meeting_says_what_when_where_and_who() -> None:
    assert _texts(REVIEW) == [
        "Event: Quarterly review, north\n"
        "When: 2026-04-14 09:30 to 10:30 (W. Europe Standard Time)\n"
        "Repeats: FREQ=WEEKLY;COUNT=4\n"
        "Where: Room Elbe, second floor\n"
        "Organizer: Ann Berg <ann@example.com>\n"
        "Attendees: Ben <ben@example.com> (accepted), cy@example.com",
        "Bring the figures.\nDoor code 7741.",
        "Task: 缴纳房租\nDue: 2026-04-20 12:00 UTC",
    ]


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260504", "2026-05-01 to 2026-05-03"),
        ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260502", "2026-05-01"),
        ("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501", "2026-05-01 to 2026-05-01"),
        ("DTSTART:20260414T093000Z\nDURATION:PT1H30M", "2026-04-14 09:30 to 11:00 UTC"),
        ("DTSTART;VALUE=DATE:20260501\nDURATION:P2W", "2026-05-01 to 2026-05-14"),
        ("DTSTART:20260414T2200\nDTEND:20260415T0100", "2026-04-14 22:00 to 2026-04-15 01:00"),
        (
            "DTSTART;TZID=Asia/Shanghai:20260414T090000\nDTEND;TZID=Asia/Tokyo:20260414T110000",
            "2026-04-14 09:00 (Asia/Shanghai) to 2026-04-14 11:00 (Asia/Tokyo)",
        ),
        ("DTSTART:next week", "next week"),
        ("DTSTART:20260414T093000\nDTEND:later", "2026-04-14 09:30 to later"),
        ("DTSTART:20260414T093000\nDURATION:P999999W", "2026-04-14 09:30"),
        ("DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:00010101", "1-01-01 to 1-01-01"),
    ],
)
def test_times_are_told_as_people_tell_them(lines: str, when: str) -> None:
    (text,) = _texts(f"BEGIN:VEVENT\n{lines}\nEND:VEVENT")
    assert text == f"Event:\nWhen: {when}"


@pytest.mark.parametrize(
    ("attendee", "told"),
    [
        ("PARTSTAT=TENTATIVE;CN=Ben:mailto:ben@example.com", "Ben <ben@example.com> (tentative)"),
        ("PARTSTAT=DECLINED:mailto:ben@example.com", "ben@example.com (declined)"),
        ("CN=ben@example.com:mailto:ben@example.com", "ben@example.com"),
    ],
)
def test_who_comes_is_told_once_with_the_answer(attendee: str, told: str) -> None:
    (text,) = _texts(f"BEGIN:VEVENT\nATTENDEE;{attendee}\nEND:VEVENT")
    assert text == f"Event:\nAttendees: {told}"


def test_whom_to_ask_and_what_was_said_is_told() -> None:
    (text,) = _texts("BEGIN:VEVENT\nCOMMENT:Bring boots\nCONTACT:Ann 7741\nEND:VEVENT")
    assert text == "Event:\nComment: Bring boots\nContact: Ann 7741"


def test_a_cancelled_meeting_says_so() -> None:
    text = "METHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:Drill\nEXDATE:20260421T090000\nEND:VEVENT"
    assert _texts(text) == ["Event: Drill\nNot on: 2026-04-21 09:00\nStatus: CANCELLED"]


def test_a_calendar_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    assert _texts("BEGIN:VEVENT\nSUMMARY:Drill\nnot a line\nLOCATION:Yard") == [
        "Event: Drill\nWhere: Yard"
    ]
    assert _texts("no calendar") == []
