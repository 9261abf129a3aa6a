"""What a cell is worth: `ok`, `refused`, `n.a.` or `BROKEN`, and the table of them.

It knows what is right for each operation; it does not know how a client is asked.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "refused", "n.a.", "BROKEN"]
SEEN_CHARS = 300
REFUSAL = "the handbook does not say"
# Errors of clients that say by themselves that nothing was called, and leave the words out.
NOTHING_CALLED = (
    "Expected at least one tool call, but got 0 tool calls",
    "did not contain a tool call even though tool choice was required",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """What every client is asked.

    Attributes:
        name: As programs report it.
        refused_with: Words that the user of the client must see where it is refused; none: it
            is answered.
        may_answer: Whether an answer is right as well.
        is_extra: Whether most clients have no call of their own for it.
    """

    name: str
    refused_with: str = ""
    may_answer: bool = False
    is_extra: bool = False


def _abstains(name: str, *, is_extra: bool = False) -> Operation:
    return Operation(name, REFUSAL, is_extra=is_extra)


OPERATIONS = (
    Operation("chat"),
    Operation("stream"),
    Operation("usage"),
    Operation("usage streamed"),
    Operation("system turn"),
    Operation("history"),
    Operation("structured"),
    _abstains("structured, abstained"),
    _abstains("structured, abstained, streamed", is_extra=True),
    Operation("structured by a function", is_extra=True),
    _abstains("structured by a function, abstained", is_extra=True),
    Operation("tool, named"),
    Operation("tool, required"),
    Operation("tool, required, streamed", is_extra=True),
    _abstains("tool, required, abstained", is_extra=True),
    Operation("tool, auto", "cannot decide by itself whether to call"),
    Operation("tool results sent back"),
    Operation("embeddings"),
    Operation("responses", "Tools are not offered", may_answer=True),
    Operation("responses, streamed", is_extra=True),
    Operation("responses, structured", is_extra=True),
    _abstains("responses, abstained", is_extra=True),
    Operation("responses, tool", "Tools are not offered", is_extra=True),
    Operation("citations"),
    Operation("disconnect"),
    Operation("too long", "maximum context length is"),
    Operation("two choices", "leave n out"),
    Operation("image", "mages cannot be read"),
    _abstains("chat, abstained", is_extra=True),
    Operation("helper prompt: title", is_extra=True),
    Operation("helper prompt: tags", is_extra=True),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One operation by one client."""

    verdict: Verdict
    seen: str


def read_cells(lines: Iterable[str]) -> dict[str, Cell]:
    """Return the cell of every operation, from what a program printed.

    An operation that it says nothing of is broken, unless few clients have it.
    """
    told: dict[str, Mapping[str, str]] = {}
    for line in lines:
        if line.startswith('{"operation"'):
            read = json.loads(line)
            told[read["operation"]] = read
    return {each.name: _judge(each, told.get(each.name)) for each in OPERATIONS}


def _judge(operation: Operation, told: Mapping[str, str] | None) -> Cell:
    if told is None:
        if operation.is_extra:
            return Cell("n.a.", "no call of its own")
        return Cell("BROKEN", "the program said nothing of it")
    state, seen = told["state"], told["seen"]
    if state == "not_offered":
        return Cell("n.a.", seen)
    is_refused = bool(operation.refused_with) and operation.refused_with in seen
    if state == "error":
        if operation.refused_with == REFUSAL:
            is_refused = is_refused or any(words in seen for words in NOTHING_CALLED)
        return Cell("refused" if is_refused else "BROKEN", seen)
    if state == "answer" and seen and (not operation.refused_with or operation.may_answer):
        return Cell("ok", seen)
    return Cell("refused" if state == "answer" and is_refused else "BROKEN", seen)


def broken(cells: Mapping[str, Mapping[str, Cell]]) -> list[str]:
    """Return the broken cells of all clients, in words."""
    return [
        f"{client}, {name}: {cell.seen[:SEEN_CHARS]}"
        for client, row in cells.items()
        for name, cell in row.items()
        if cell.verdict == "BROKEN"
    ]


def as_markdown(cells: Mapping[str, Mapping[str, Cell]]) -> str:
    """Return the table, an operation a row and a client a column."""
    clients = list(cells)
    rows: list[Sequence[str]] = [["operation", *clients], ["---"] * (len(clients) + 1)]
    for operation in OPERATIONS:
        name = operation.name
        rows.append([name, *(cells[client][name].verdict for client in clients)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
