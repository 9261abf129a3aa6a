"""Rows and a model that replies what a test has laid down."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from adapters.data.rows import Message, Row

File = Path("chats.jsonl")


def qa(question: str, answer: str, line: int = 1, **meta: object) -> Row:
    """One question with its answer."""
    return Row((Message("user", question), Message("assistant", answer)), meta, File, line)


class Model:
    """Replies by what stands in the prompt; remembers every prompt."""

    def __init__(self, reply: Callable[[str], Any]) -> None:
        self._reply = reply
        self.prompts: list[str] = []

    def __call__(self, prompt: str, schema: Mapping[str, JsonValue]) -> str:
        self.prompts.append(prompt)
        reply = self._reply(prompt)
        return reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a settings file."""

    def written(content: str) -> Path:
        file = tmp_path / "settings.yaml"
        file.write_text(content, encoding="utf-8")
        return file

    return written
