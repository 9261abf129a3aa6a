"""The pipeline file and its steps."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adapters.data.pipeline.file import StepEntry, load_pipeline
from adapters.data.pipeline.outside import Outside
from adapters.data.pipeline.table import STEPS, asks_model, make_step
from adapters.data.relevance import Domain
from adapters.errors import InvalidPipeline


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.ones((len(texts), 2), np.float32)


OUTSIDE = Outside(
    today=date(2026, 6, 30),
    secret=lambda: bytes(16),
    embed=embed,
    find_domain=lambda told, limit: Domain(told, embed, limit or 0.5, "as set"),
    perplexities=lambda texts, _examples: [1.0] * len(texts),
    generate=lambda _temperature: lambda _prompt, _schema: "{}",
)
SETTINGS: dict[str, dict[str, object]] = {
    "balance": {"shares": {"金融": 6, "法律": 4}},
    "similar": {"min_similarity": 0.95},
    "keywords": {"words": ["退货"]},
    "similarity": {"domain": "退货"},
    "perplexity": {"max_perplexity": 50, "examples": 0},
}
ROWS = {"leakage": ("test",), "classifier": ("wanted", "unwanted")}
FILES = {
    "structure": "rules: [{id: a, pattern: x, rows: [{instruction: a, output: '{whole}'}]}]",
    "annotate": "{instruction: a, reply: {type: object, properties: {b: {type: string}}}}",
}


def written(folder: Path, text: str) -> Path:
    file = folder / "p.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    steps = "steps: [disputed, structure: {file: r.yaml}, leakage: {test: [t.csv]}]\n"
    file = load_pipeline(written(tmp_path, f"read: [in]\n{steps}out: rows.jsonl\n"))
    assert (file.read, file.out) == ((tmp_path / "in",), tmp_path / "rows.jsonl")
    assert [dict(step.settings) for step in file.steps] == [
        {},
        {"file": str(tmp_path / "r.yaml")},
        {"test": [str(tmp_path / "t.csv")]},
    ]
    assert load_pipeline(written(tmp_path, "")).out is None


def test_a_step_is_a_name_or_a_name_with_settings(tmp_path: Path) -> None:
    steps = "steps:\n- mask_personal_data\n- outdated:\n- weight_recent: {times: 5}\n"
    file = load_pipeline(written(tmp_path, steps))
    assert [(one.name, dict(one.settings)) for one in file.steps] == [
        ("mask_personal_data", {}),
        ("outdated", {}),
        ("weight_recent", {"times": 5}),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("reads: [in]", "reads: Extra inputs are not permitted"),
        ("steps: [{a: 1, b: 2}]", "a step is a name, or one name with its settings"),
        ("steps: [{mask: 3}]", "settings: Input should be a valid"),
        ("checks: {task_type: chat}", "checks.task_type: Input should be"),
        ("- a\n- b", "the file: Input should be"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidPipeline) as found:
        load_pipeline(written(tmp_path, text))
    assert told in str(found.value)
    with pytest.raises(InvalidPipeline, match="cannot be read: No such file"):
        load_pipeline(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_of_the_table_is_called_so(name: str, tmp_path: Path) -> None:
    settings = SETTINGS.get(name, {})
    if name in FILES:
        settings = {"file": str(written(tmp_path, FILES[name]))}
    for key in ROWS.get(name, ()):
        rows = (f'{{"prompt": "{key} {n}", "completion": "b"}}\n' for n in range(20))
        (tmp_path / key).write_text("".join(rows), encoding="utf-8")
        settings = {**settings, key: [str(tmp_path / key)]}
    made = make_step(StepEntry(name=name, settings=settings), OUTSIDE)  # type: ignore[arg-type]  # JSON
    assert made.step.name == name
    assert list(made.step.run([])) == []


def test_unknown_steps_and_settings_are_refused() -> None:
    with pytest.raises(InvalidPipeline, match="no step 'masks'; there are annotate, balance, "):
        make_step(StepEntry(name="masks"), OUTSIDE)
    with pytest.raises(InvalidPipeline, match="step weight_recent: times: Input should be"):
        make_step(StepEntry(name="weight_recent", settings={"times": 1}), OUTSIDE)


def test_a_step_without_what_it_needs_is_refused() -> None:
    bare = Outside(today=date(2026, 6, 30))
    with pytest.raises(InvalidPipeline, match="self_instruct asks the base model.*fingerpost up"):
        make_step(StepEntry(name="self_instruct"), bare)
    with pytest.raises(InvalidPipeline, match="needs the secret of a home"):
        make_step(StepEntry(name="mask_personal_data"), bare)
    assert asks_model([StepEntry(name="balance"), StepEntry(name="dialogues")])
    assert not asks_model([StepEntry(name="balance"), StepEntry(name="nothing")])
    with pytest.raises(InvalidPipeline, match="similar needs an embedder"):
        make_step(StepEntry(name="similar", settings={"min_similarity": 0.9}), bare)
