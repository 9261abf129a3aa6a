"""The messages that ship: every kind in both languages, none of those kept for tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from router import MessageKind, labelled_messages
from tests.router.questions.test_messages import ROWS, half_of

UNSEEN = Path(__file__).parents[3] / "cases" / "unseen_messages.jsonl"


def test_every_kind_stands_there_in_both_languages() -> None:
    counted = Counter((row.kind, row.language) for row in labelled_messages())
    assert set(counted) == {(kind, lang) for kind in MessageKind for lang in ("en", "zh")}
    assert min(counted.values()) >= 20


def test_no_message_stands_there_twice_or_is_kept_for_tests() -> None:
    messages = [row.message for row in labelled_messages()]
    assert len(messages) == len(set(messages))
    kept = {row["message"] for row in ROWS if half_of(row) == "held"}
    kept |= {json.loads(line)["message"] for line in UNSEEN.read_text("utf-8").splitlines()}
    assert not kept & set(messages)
