"""The pipeline file and its steps."""

from datetime import date
from pathlib import Path

import pytest

from adapters.data.pipeline.file import StepEntry, load_pipeline
from adapters.data.pipeline.table import STEPS, Outside, make_step
from adapters.errors import InvalidPipeline

OUTSIDE = Outside(today=date(2026, 6, 30))
SETTINGS: dict[str, dict[str, object]] = {"balance": {"shares": {"金融": 6, "法律": 4}}}


def written(folder: Path, text: str) -> Path:
    file = folder / "p.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = load_pipeline(written(tmp_path, "read: [in]\nsteps: [mask]\nout: rows.jsonl\n"))
    assert (file.read, file.out) == ((tmp_path / "in",), tmp_path / "rows.jsonl")
    assert load_pipeline(written(tmp_path, "")).out is None


def test_a_step_is_a_name_or_a_name_with_settings(tmp_path: Path) -> None:
    steps = "steps:\n- mask\n- outdated:\n- weight_recent: {times: 5}\n"
    file = load_pipeline(written(tmp_path, steps))
    assert [(one.name, dict(one.settings)) for one in file.steps] == [
        ("mask", {}),
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
def test_every_step_of_the_table_is_called_so(name: str) -> None:
    made = make_step(StepEntry(name=name, settings=SETTINGS.get(name, {})), OUTSIDE)  # type: ignore[arg-type]  # JSON
    assert made.step.name == name
    assert list(made.step.run([])) == []


def test_unknown_steps_and_settings_are_refused() -> None:
    with pytest.raises(InvalidPipeline, match="no step 'masks'; there are balance, disputed, mask"):
        make_step(StepEntry(name="masks"), OUTSIDE)
    with pytest.raises(InvalidPipeline, match="step weight_recent: times: Input should be"):
        make_step(StepEntry(name="weight_recent", settings={"times": 1}), OUTSIDE)
