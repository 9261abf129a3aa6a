"""Every row that a format has a place for comes back from it as it was."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.data import Message, Row
from adapters.data.formats.export import RowFormat, to_fields
from adapters.data.formats.pairs import read_any
from adapters.data.formats.refusals import BadRow
from adapters.data.formats.turns import TEMPLATE_MARKS

FILE = Path("rows.jsonl")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
said = texts.filter(lambda text: len(text.strip("\u200b\u200c\u200d\u2060\ufeff \t\r\n")) > 0)
said = said.filter(
    lambda text: not text.isspace() and not any(mark in text for mark in TEMPLATE_MARKS)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
names = texts | st.sampled_from(["id", "source", "context", "input", "rejected", "system", "tools"])
metas = st.dictionaries(
    names.filter(lambda name: name not in ("meta", "weight", "loss", "train")),
    json_values,
    max_size=4,
)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Return a conversation of one to three answers, some of them not learned."""
    turns = [Message("system", draw(said | st.just("")))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        learned = draw(st.booleans())
        turns += [Message("user", draw(said)), Message("assistant", draw(said), learned)]
    meta: dict[str, Any] = draw(metas)
    if draw(st.booleans()):
        meta["weight"] = draw(st.sampled_from([0.5, 1, 3]))
    rejected = draw(said)
    if draw(st.booleans()) and rejected.strip() != turns[-1].content.strip():
        meta["rejected"] = rejected
    return Row(tuple(turns), meta, FILE, 1)


@pytest.mark.parametrize("form", RowFormat)
@settings(max_examples=40)
@given(row=rows())
def test_a_row_comes_back_from_every_format_as_it_was(form: RowFormat, row: Row) -> None:
    try:
        fields = to_fields(row, form)
    except BadRow:
        return  # told, not lost; what is told is tested below
    back = read_any(fields, FILE, 1)
    if form is RowFormat.PREFERENCE:  # only its last answer is learned
        assert [(m.role, m.content) for m in back.messages] == [
            (m.role, m.content) for m in row.messages
        ]
        assert back.messages[-1].learned == row.messages[-1].learned
    else:
        assert back.messages == row.messages
    assert back.meta == row.meta


ASKED, TOLD = Message("user", "几点开门？"), Message("assistant", "九点。")
PASSED_OVER = Message("assistant", "九点。", learned=False)
SYSTEM = Message("system", "简短")


def test_each_format_is_written_as_its_own_tools_read_it() -> None:
    row = Row((SYSTEM, ASKED, PASSED_OVER, ASKED, TOLD), {"source": "a.md"}, FILE, 1)
    assert to_fields(row, RowFormat.MESSAGES) == {
        "messages": [
            {"role": "system", "content": "简短"},
            {"role": "user", "content": "几点开门？"},
            {"role": "assistant", "content": "九点。", "weight": 0},
            {"role": "user", "content": "几点开门？"},
            {"role": "assistant", "content": "九点。"},
        ],
        "source": "a.md",
    }
    short = Row((SYSTEM, ASKED, TOLD), {"rejected": "十点。"}, FILE, 1)
    assert to_fields(short, RowFormat.CONVERSATIONS) == {
        "system": "简短",
        "conversations": [
            {"from": "human", "value": "几点开门？"},
            {"from": "gpt", "value": "九点。"},
        ],
        "meta": {"rejected": "十点。"},
    }
    bare = Row((ASKED, TOLD), {"rejected": "十点。", "context": True}, FILE, 1)
    assert to_fields(bare, RowFormat.PREFERENCE) == {
        "prompt": "几点开门？",
        "chosen": "九点。",
        "rejected": "十点。",
        "context": True,
    }
    longer = Row((ASKED, TOLD, ASKED, TOLD), {}, FILE, 1)
    assert to_fields(longer, RowFormat.ALPACA) == {
        "instruction": "几点开门？",
        "input": "",
        "output": "九点。",
        "history": [["几点开门？", "九点。"]],
    }


@pytest.mark.parametrize(
    ("form", "turns", "reason"),
    [
        (RowFormat.DOLLY, (SYSTEM, ASKED, TOLD), "no place for a system turn"),
        (RowFormat.DOLLY, (ASKED, TOLD, ASKED, TOLD), "or earlier turns"),
        (RowFormat.ALPACA, (ASKED, PASSED_OVER, ASKED, TOLD), "only some answers are learned"),
        (RowFormat.ALPACA, (Message("system", " "), ASKED, TOLD), "an empty system turn"),
        (RowFormat.PREFERENCE, (ASKED, TOLD), "needs a rejected answer"),
    ],
)
def test_what_a_format_has_no_place_for_is_refused(
    form: RowFormat, turns: tuple[Message, ...], reason: str
) -> None:
    with pytest.raises(BadRow, match=reason):
        to_fields(Row(turns, {}, FILE, 1), form)
