"""The judge of the table client × operation, and the pins of its environments; no client is run."""

import json
import re

import pytest

from tests.clients.environments import CLIENTS, PINS, PROGRAMS, Client
from tests.clients.table import NOTHING_CALLED, OPERATIONS, Cell, as_markdown, broken, read_cells

REFUSED = "refusal: Sorry, the handbook does not say. I will ask a colleague."


def verdict(operation: str, state: str, seen: str) -> str:
    line = json.dumps({"operation": operation, "state": state, "seen": seen})
    return read_cells(["a warning of the client", line])[operation].verdict


@pytest.mark.parametrize(
    ("operation", "state", "seen", "expected"),
    [
        ("chat", "answer", "25 minutes", "ok"),
        ("chat", "answer", "", "BROKEN"),
        ("chat", "error", "Connection refused", "BROKEN"),
        ("structured, abstained", "answer", REFUSED, "refused"),
        ("structured, abstained", "error", f"ModelRefusalError: {REFUSED}", "refused"),
        ("structured, abstained", "error", "KeyError: 'content'", "BROKEN"),
        ("structured, abstained", "wrong", "None", "BROKEN"),
        ("structured, abstained", "wrong", REFUSED, "BROKEN"),
        ("structured, abstained", "answer", "unit='minutes'", "BROKEN"),
        ("structured, abstained", "error", f"ValueError: {NOTHING_CALLED[0]}.", "refused"),
        ("tool, named", "error", f"ValueError: {NOTHING_CALLED[0]}.", "BROKEN"),
        ("too long", "error", "This model's maximum context length is 4096 tokens", "refused"),
        ("too long", "error", "500 internal error", "BROKEN"),
        ("responses", "answer", "25 minutes", "ok"),
        ("responses", "error", "400 Tools are not offered", "refused"),
        ("embeddings", "not_offered", "has none", "n.a."),
    ],
)
def test_a_cell_is_judged_by_what_the_user_of_the_client_sees(
    operation: str, state: str, seen: str, expected: str
) -> None:
    assert verdict(operation, state, seen) == expected


def test_an_operation_that_a_program_is_silent_on_is_broken_unless_few_clients_have_it() -> None:
    cells = read_cells([])
    assert cells.keys() == {operation.name for operation in OPERATIONS}
    assert cells["chat"].verdict == "BROKEN"
    assert cells["responses, streamed"].verdict == "n.a."


def test_the_table_has_a_row_for_each_operation_and_names_what_is_broken() -> None:
    cells = {"one": read_cells([]), "two": {o.name: Cell("ok", "x") for o in OPERATIONS}}
    table = as_markdown(cells).splitlines()
    assert table[0] == "| operation | one | two |"
    assert table[2] == "| chat | BROKEN | ok |"
    assert len(table) == len(OPERATIONS) + 2
    assert "one, chat: the program said nothing of it" in broken(cells)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_has_a_program_and_exact_versions(client: Client) -> None:
    assert (PROGRAMS / client.program).is_file()
    pins = (PINS / client.pins).read_text(encoding="utf-8")
    if client.is_node:
        versions = list(json.loads(pins)["dependencies"].values())
    else:
        versions = [line.partition("==")[2] for line in pins.splitlines()]
    assert versions
    assert all(re.match(r"\d", version) for version in versions), pins


def test_programs_report_only_operations_that_are_judged() -> None:
    known = {operation.name for operation in OPERATIONS}
    for client in CLIENTS:
        text = (PROGRAMS / client.program).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:cell|not_offered|notOffered)\(\s*\"([^\"]+)\"", text))
        for listed in re.findall(r"for name in \((.+?)\):\n    not_offered\(name", text):
            named |= set(re.findall(r"\"([^\"]+)\"", listed))
        assert named <= known, client.name
        assert named >= {operation.name for operation in OPERATIONS if not operation.is_extra}
