"""Counts the tokens of a prompt as the base model will, or estimates them.

It knows the files of a model's folder; it does not know what is in a prompt.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import JsonValue
from tokenizers import Tokenizer

from service.engine.client import Message
from service.engine.control_tokens import AsText

log = logging.getLogger(__name__)

CountTokens = Callable[[Sequence[Message]], int]

# Without the model's own tokenizer: a Han character is about a token, other text about 3
# characters a token; rather too many, so that a prompt that fits by this count fits.
CHARS_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 8


def load_token_counter(model_folder: Path, as_text: AsText) -> CountTokens:
    """Return a counter for the model in `model_folder`, or an estimate where it has none.

    A template that plain jinja cannot render (custom tags, roles it refuses) is estimated too; the
    model server itself decides whether a prompt fits. Texts are counted as they are sent, by
    `as_text`.
    """
    tokenizer_file = model_folder / "tokenizer.json"
    config = _tokenizer_config(model_folder)
    template_text = _chat_template(model_folder, config)
    if not tokenizer_file.is_file() or template_text is None:
        return estimate_tokens
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    jinja = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    try:
        template = jinja.from_string(template_text)
    except TemplateError as exc:
        log.warning("prompts are counted by estimate: chat template of %s: %s", model_folder, exc)
        return estimate_tokens
    marks = {name: _special_token(config, name) for name in ("bos_token", "eos_token")}

    def count(messages: Sequence[Message]) -> int:
        turns = [{"role": m.role, "content": as_text(m.content)} for m in messages]
        try:
            rendered = template.render(messages=turns, add_generation_prompt=True, **marks)
        except TemplateError:
            return estimate_tokens(messages)
        return len(tokenizer.encode(rendered, add_special_tokens=False).ids)

    return count


def estimate_tokens(messages: Sequence[Message]) -> int:
    """Return an estimated number of tokens, rather too high than too low."""
    total = 0
    for message in messages:
        han = sum("\u2e80" <= char <= "\u9fff" for char in message.content)
        total += han + (len(message.content) - han) // CHARS_PER_TOKEN + TOKENS_PER_MESSAGE
    return total


def _chat_template(model_folder: Path, config: Mapping[str, JsonValue]) -> str | None:
    own_file = model_folder / "chat_template.jinja"
    if own_file.is_file():
        return own_file.read_text(encoding="utf-8")
    template = config.get("chat_template")
    return template if isinstance(template, str) else None


def _tokenizer_config(model_folder: Path) -> Mapping[str, JsonValue]:
    file = model_folder / "tokenizer_config.json"
    if not file.is_file():
        return {}
    config: Mapping[str, JsonValue] = json.loads(file.read_text(encoding="utf-8"))
    return config


def _special_token(config: Mapping[str, JsonValue], name: str) -> str:
    token = config.get(name) or ""  # a string, or an object with `content`
    return str(token["content"]) if isinstance(token, dict) else str(token)
