"""What a gateway told a client, and whether that is right.

It knows replies, streams and conditions on them; it does not know how a request is made.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.benchmarks.field.words import Words, missing, stands_in

MOST_SHOWN_CHARS = 160


@dataclass(frozen=True, slots=True)
class Told:
    """A reply, or what a command printed.

    Attributes:
        status: Of HTTP; of a command its exit code.
        text: All of it, the headers of HTTP not.
        body: Its JSON, None without any. Of a stream `text`, what its pieces say together, and
            `last`, the last event with data.
    """

    status: int
    text: str
    body: Any = None

    def at(self, path: str) -> Any:
        """Return the value at a path such as `choices.0.message`; None where there is nothing."""
        value = self.body
        for part in path.split("."):
            if isinstance(value, list) and part.isdigit():
                value = value[int(part)] if int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        return value

    @property
    def in_short(self) -> str:
        """What is shown of it where it is wrong."""
        body = self.body if isinstance(self.body, dict) else {}
        shown = body.get("detail") or body.get("answer") or body.get("text") or self.text
        notes = [str(body[key]) for key in ("strategy", "outcome") if key in body]
        return " ".join([str(self.status), *notes, " ".join(str(shown).split())])[:MOST_SHOWN_CHARS]


@dataclass(frozen=True, slots=True)
class Right:
    """One way to be right; all of its conditions hold.

    Attributes:
        status: Of HTTP, or a command's exit code; several: one of them; None: below 500.
        where: Values by their path: a value, `some` or `none`, or `re:` and a pattern of its text.
        holds: Words that stand in the text.
        lacks: Words that do not.
        ascending: A pattern of two numbers of which the first is at most the second, wherever it
            is found.
    """

    status: int | list[int] | None = 200
    where: Mapping[str, Any] | None = None
    holds: Words = ()
    lacks: Words = ()
    ascending: str = ""

    def faults(self, told: Told) -> list[str]:
        """Return the conditions that do not hold, in words."""
        return [
            *self._status_faults(told.status),
            *(
                f"{path} is {_shown(told.at(path))}, not {wanted}"
                for path, wanted in (self.where or {}).items()
                if not holds(told.at(path), wanted)
            ),
            *(f"lacks {word!r}" for word in missing(self.holds, told.text)),
            *(f"holds {word!r}" for word in self.lacks if stands_in(word, told.text)),
            *(
                f"{found[1]} is more than {found[2]}"
                for found in (re.finditer(self.ascending, told.text) if self.ascending else ())
                if float(found[1]) > float(found[2])
            ),
        ]

    def _status_faults(self, status: int) -> list[str]:
        wanted = self.status if isinstance(self.status, list) else [self.status]
        is_right = status < 500 if self.status is None else status in wanted
        return [] if is_right else [f"status {status}"]


def holds(value: Any, wanted: Any) -> bool:
    """Return whether a value is what is wanted of it."""
    if wanted == "some":
        return value not in (None, "", [], {})
    if wanted == "none":
        return value in (None, "", [], {})
    if isinstance(wanted, str) and wanted.startswith("re:"):
        return isinstance(value, str) and bool(re.search(wanted[3:], value, re.DOTALL))
    return bool(value == wanted)


def judge(told: Told, ways: Sequence[Right]) -> str:
    """Return what is wrong by the way that comes nearest, and what was seen; empty: it is right."""
    found = min((way.faults(told) for way in ways), key=len)
    return f"{'; '.join(found)}: {told.in_short}" if found else ""


def read_reply(reply: httpx.Response) -> Told:
    """Return a reply as it is judged."""
    if reply.headers.get("content-type", "").startswith("text/event-stream"):
        return Told(reply.status_code, reply.text, _stream(reply.text))
    try:
        return Told(reply.status_code, reply.text, reply.json())
    except ValueError:
        return Told(reply.status_code, reply.text)


def _stream(text: str) -> dict[str, Any]:
    data = re.findall(r"^data: (\{.*)$", text, re.MULTILINE)
    events = [json.loads(one) for one in data]
    said = [
        choice["delta"].get("content") or ""
        for event in events
        for choice in event.get("choices", ())
        if "delta" in choice
    ]
    return {"text": "".join(said), "last": events[-1] if events else None}


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:60]
