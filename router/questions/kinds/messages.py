"""The labelled messages that ship: written for this project, of the kinds that public sets lack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from router.classes import MessageKind
from router.questions.kinds.fitting import LabelledMessage

FILE: Final = Path(__file__).with_name("messages.jsonl")


def labelled_messages() -> list[LabelledMessage]:
    """Return the messages that ship, in the order of their file."""
    rows = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [LabelledMessage(row["message"], MessageKind(row["kind"]), row["lang"]) for row in rows]
