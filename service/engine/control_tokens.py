"""What people and documents write stays text: it cannot end a turn or begin another.

A chat template marks turns with tokens such as `<|im_end|>`, and a model server reads them wherever
they stand in a prompt. It knows the files of a model's folder; it does not know roles or passages.
"""

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

AsText = Callable[[str], str]
"""Return a text in which no control token of the model is left."""

SPLIT = "\u200b"
"""A space without width, put behind a token's first character: it looks the same, and is text."""
COMMON = (
    r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|TOOL_RESULTS"
    r"|AVAILABLE_TOOLS)\]|<</?SYS>>|<(?:start|end)_of_turn>|<[|｜][^<>\s]{1,40}[|｜]>"
    r"|</?(?:bos|eos|pad|unk|tool_call|tool_response|think)>"
)
"""Of the model families in use, where the model's own tokens are not known."""


def load_as_text(model_folder: Path) -> AsText:
    """Return the function for the model in `model_folder`; without its tokenizer, for all common.

    Every token that the tokenizer cuts out before it reads words counts, save plain words and
    spaces: which of them a template or a parser obeys is not written anywhere.
    """
    pattern = re.compile("|".join([*map(re.escape, _added_tokens(model_folder)), COMMON]))
    return partial(_as_text, pattern)


def _as_text(pattern: re.Pattern[str], text: str) -> str:
    while pattern.search(text):  # again, where two tokens overlapped
        text = pattern.sub(lambda token: token[0][0] + SPLIT + token[0][1:], text)
    return text


def _added_tokens(model_folder: Path) -> Iterable[str]:
    """Return the tokens that stand apart from the vocabulary, the longest first."""
    file = model_folder / "tokenizer.json"
    if not file.is_file():
        return ()
    added = json.loads(file.read_text(encoding="utf-8")).get("added_tokens", ())
    tokens = {str(token["content"]) for token in added}
    signs = {token for token in tokens if re.search(r"[^\w\s]", token) and len(token) > 2}
    return sorted(signs, key=len, reverse=True)
