"""How many tokens a prompt has."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from service.engine.client import Message
from service.engine.tokens import estimate_tokens, load_token_counter

CHATML = (
    "{% for m in messages %}<s> {{ m['role'] }} {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<s> assistant{% endif %}"
)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """Return a folder with a tokenizer of whole words and a chat template."""
    words = ["<unk>", "<s>", "</s>", "user", "system", "assistant", "lamp", "days"]
    model = WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML}))
    return tmp_path


def test_tokens_are_counted_with_the_models_own_tokenizer_and_template(model_folder: Path) -> None:
    count = load_token_counter(model_folder, str)
    # <s> user lamp days </s> and <s> assistant
    assert count([Message("user", "lamp days")]) == 7
    assert count([Message("system", "lamp"), Message("user", "lamp days")]) == 11


def test_a_template_in_its_own_file_wins(model_folder: Path) -> None:
    (model_folder / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    assert load_token_counter(model_folder, str)([Message("user", "lamp days")]) == 2


@pytest.mark.parametrize("mark", ["<s>", {"content": "<s>", "lstrip": False}])
def test_the_template_may_name_the_tokenizers_special_tokens(
    model_folder: Path, mark: object
) -> None:
    config = {"chat_template": "{{ bos_token }} {{ messages[0]['content'] }}", "bos_token": mark}
    (model_folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert load_token_counter(model_folder, str)([Message("user", "lamp")]) == 2


@pytest.mark.parametrize(
    "template",
    ["{% generation %}x{% endgeneration %}", "{{ raise_exception('roles must alternate') }}"],
    ids=["unknown tag", "refused role"],
)
def test_a_template_that_cannot_be_run_is_estimated(model_folder: Path, template: str) -> None:
    (model_folder / "chat_template.jinja").write_text(template)
    message = [Message("user", "lamp days")]
    assert load_token_counter(model_folder, str)(message) == estimate_tokens(message)


@pytest.mark.parametrize("missing", ["tokenizer.json", "tokenizer_config.json"])
def test_a_folder_without_tokenizer_or_template_is_estimated(
    model_folder: Path, missing: str
) -> None:
    (model_folder / missing).unlink()
    assert load_token_counter(model_folder, str) is estimate_tokens


def test_the_estimate_takes_a_han_character_for_a_token() -> None:
    frame = estimate_tokens([Message("user", "")])
    assert estimate_tokens([Message("user", "退货期限三十天")]) == frame + 7
    assert estimate_tokens([Message("user", "x" * 30)]) == frame + 10
    assert estimate_tokens([Message("user", ""), Message("user", "")]) == 2 * frame
