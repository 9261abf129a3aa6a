"""Which embedded models a home uses, and who may say otherwise."""

from pathlib import Path

import pytest

from adapters import RECORD_FILE
from service.errors import InvalidSettings
from service.home import Home
from service.home_models import EARLIER, NEW, HomeModels, keep_models, read_models, write_models
from service.messages.spoken import speak
from service.settings import load_settings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_home_of_an_earlier_version_keeps_what_it_was_made_with(home: Home) -> None:
    home.make()
    home.database.touch()
    assert read_models(home) is None
    before = load_settings(home=home.root)
    assert keep_models(home) == EARLIER
    assert read_models(home) == EARLIER
    after = load_settings(home=home.root)
    assert after.engine.base_model == before.engine.base_model == "smollm2-135m-instruct"
    assert after.embedder_path == before.embedder_path == str(home.models / "all-minilm-l6-v2")
    assert after.knowledge.embedder_languages == ("en",)


@pytest.mark.parametrize(
    ("prepared", "kept"),
    [
        ({NEW.base_model, NEW.embedder}, NEW),
        ({NEW.base_model, EARLIER.embedder}, HomeModels(NEW.base_model, EARLIER.embedder)),
        ({EARLIER.base_model, EARLIER.embedder, NEW.embedder}, EARLIER),  # on its way to a new one
        ({EARLIER.base_model, EARLIER.embedder, NEW.base_model}, EARLIER),
    ],
)
def test_a_home_prepared_by_hand_uses_what_was_prepared(
    prepared: set[str], kept: HomeModels, home: Home
) -> None:
    for name in prepared:
        (home.models / name).mkdir(parents=True)
        (home.models / name / RECORD_FILE).write_text("{}")
    assert keep_models(home) == kept
    assert read_models(home) == kept


@pytest.mark.parametrize("prepared", [set(), {NEW.base_model}, {EARLIER.embedder}])
def test_a_home_in_which_nothing_was_made_is_bound_to_no_models(
    prepared: set[str], home: Home
) -> None:
    for name in prepared:
        (home.models / name).mkdir(parents=True)
        (home.models / name / RECORD_FILE).write_text("{}")
    keep_models(Home(home.root / "not-there"))
    keep_models(home)
    assert read_models(home) is None


def test_a_home_serves_the_models_it_was_made_with(home: Home) -> None:
    write_models(home, NEW)
    assert keep_models(home) == NEW
    settings = load_settings(home=home.root)
    assert settings.engine.base_model == "qwen2.5-coder-0.5b-instruct"
    assert settings.base_model_path == home.models / "qwen2.5-coder-0.5b-instruct"
    assert settings.embedder_path == str(home.models / "multilingual-e5-small")
    assert settings.knowledge.embedder_languages == ("*",)


def test_what_an_operator_wrote_comes_first(home: Home) -> None:
    write_models(home, NEW)
    lines = '[engine]\nbase_model = "own"\n[knowledge]\nembedder = "/models/own"\n'
    home.config_file.write_text(lines)
    settings = load_settings(home=home.root)
    assert settings.engine.base_model == "own"
    assert settings.embedder_path == "/models/own"
    assert settings.knowledge.embedder_languages == ("en",), "those of no other embedder"
    assert home.config_file.read_text() == lines


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"base_model": "smollm2-135m-instruct"}', '{"base_model": 1, "embedder": 2}'],
)
def test_a_file_that_names_no_embedded_models_is_refused_and_kept(home: Home, text: str) -> None:
    home.models_file.write_text(text)
    with pytest.raises(InvalidSettings, match="models.json") as caught:
        load_settings(home=home.root)
    assert "multilingual-e5-small" in str(caught.value)
    assert home.models_file.read_text() == text


def test_the_note_says_what_serves_in_whose_place_or_how_to_get_the_newer_ones() -> None:
    assert NEW.note is None
    assert "kb reindex" in (EARLIER.note or "")
    small = HomeModels(EARLIER.base_model, EARLIER.embedder, missing=(NEW.base_model,))
    note = small.note or ""
    assert note.startswith("qwen2.5-coder-0.5b-instruct could not be fetched")
    assert "smollm2-135m-instruct" in note
    try:
        speak("zh")
        for models, words in ((small, "无法下载，因此改用"), (EARLIER, "只懂英文")):
            said = models.note or ""
            assert words in said
            assert not any(word in said for word in (" and ", "could not", "reads", "then run"))
    finally:
        speak("en")
