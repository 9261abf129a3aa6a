"""What every program asks, and how it says what its client saw.

A program runs in the environment of its client and imports nothing but that client and this file.
It prints one JSON line a cell; what the cell is worth, `tests/clients/table.py` judges.
"""

import json
import re
import signal
import sys
from collections.abc import Callable
from typing import Any, Literal

URL, USE_CASE = (sys.argv[1:] + ["http://127.0.0.1:8080", "demo"])[:2]
BASE_URL = f"{URL}/v1"
KEY = "not-checked-on-loopback"
MODEL = "rag"
AUTO = "auto"
EMBEDDER = sys.argv[3] if len(sys.argv) > 3 else ""
OURS = {"use_case": USE_CASE}

QUESTION = "How long is the password link valid?"
UNANSWERED = "Who won the football World Cup of 1998?"
HISTORY = [
    {"role": "user", "content": "I forgot my password."},
    {"role": "assistant", "content": "Ask for a link on the page of your account."},
    {"role": "user", "content": QUESTION},
]
SYSTEM = "Answer in one short sentence."
TOO_LONG = "A lamp stood beside the window and it was blue. " * 4000 + QUESTION
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "find_place",
        "description": "Find a place on the map of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Porto", "Lyon"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
NAMED = {"type": "function", "function": {"name": "find_place"}}
ASK_TOOL = "Where is the collection counter?"
CALL_ID = "call_000000000000000000000001"
TOOL_TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "Where is order 4711?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": CALL_ID,
                "type": "function",
                "function": {"name": "find_order", "arguments": '{"order": 4711}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": CALL_ID, "content": "It is on its way."},
]
Unit = Literal["seconds", "minutes", "hours"]
SECONDS_A_CELL = 120


class Wrong(Exception):
    """The client got something that its user would take for an answer, and it is none."""


def need(claim: object, seen: object) -> None:
    """Fail the cell with what was seen unless `claim` holds."""
    if not claim:
        raise Wrong(repr(seen))


def cell(operation: str) -> Callable[[Callable[[], object]], None]:
    """Run a function as the cell of an operation, and print what it returned or raised."""

    def run(asked: Callable[[], object]) -> None:
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(SECONDS_A_CELL)
        try:
            seen = asked()
            line = {"state": "answer", "seen": str(seen)}
        except Wrong as exc:
            line = {"state": "wrong", "seen": str(exc)}
        except Exception as exc:  # whatever the client raises is what its user sees
            line = {"state": "error", "seen": _told(exc), "error": type(exc).__name__}
        finally:
            signal.alarm(0)
        print(json.dumps({"operation": operation, **line}), flush=True)  # noqa: T201

    return run


def not_offered(operation: str, why: str) -> None:
    """Say that the client has no such thing."""
    line = {"operation": operation, "state": "not_offered", "seen": why}
    print(json.dumps(line), flush=True)  # noqa: T201


def _too_late(*_: object) -> None:
    raise Wrong(f"nothing came within {SECONDS_A_CELL} s")


def _told(exc: BaseException) -> str:
    """Return the words of an error and of those behind it."""
    words: list[str] = []
    seen: BaseException | None = exc
    while seen is not None and len(words) < 4:
        words.append(f"{type(seen).__name__}: {seen}")
        seen = seen.__cause__ or seen.__context__
    return re.sub(r"\s+", " ", " < ".join(words))
