"""Steps of a pipeline that need rows of other files, an embedder or the base model."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydantic import JsonValue

from adapters.data.pipeline.file import StepEntry
from adapters.data.pipeline.outside import Outside
from adapters.data.pipeline.table import make_step
from adapters.data.steps import Result
from adapters.errors import InvalidPipeline
from tests.adapters.data.readiness.rows import row

BARE = Outside(today=date(2026, 6, 30))
OUTSIDE = Outside(
    today=date(2026, 6, 30),
    embed=lambda texts: np.array([[1, 0] if "退" in t else [0, 1] for t in texts], np.float32),
    perplexities=lambda texts, _examples: [float(len(text)) for text in texts],
)


def rows_of(folder: Path, name: str, *questions: str) -> str:
    file = folder / name
    lines = (f'{{"prompt": "{one}", "completion": "好的，马上办"}}\n' for one in questions)
    file.write_text("".join(lines), encoding="utf-8")
    return str(file)


def judge(name: str, settings: Mapping[str, JsonValue], *questions: str) -> list[Result]:
    made = make_step(StepEntry(name=name, settings=settings), OUTSIDE)
    return list(made.step.run([row(one, "请在订单页申请") for one in questions]))


def test_rows_of_a_test_are_spelled_as_the_rows_are(tmp_path: Path) -> None:
    test = rows_of(tmp_path, "test.jsonl", "如何申請退貨？")
    told = {"test": [test], "script": "simplified"}
    (result,) = judge("leakage", told, "如何申请退货?")  # type: ignore[arg-type]  # JSON
    assert result.reason == "question_in_test"


def test_rows_far_from_those_of_a_file_are_dropped(tmp_path: Path) -> None:
    like = rows_of(tmp_path, "like.jsonl", *(f"怎么退货{n}" for n in range(12)))
    near, far = judge("similarity", {"like": [like]}, "退款呢", "天气如何")
    assert (near.reason, far.reason) == ("", "far_from_domain")


def test_a_classifier_is_fitted_on_the_rows_of_two_files(tmp_path: Path) -> None:
    wanted = rows_of(tmp_path, "yes.jsonl", *(f"怎么退货{n}" for n in range(30)))
    unwanted = rows_of(tmp_path, "no.jsonl", *(f"今天天气如何{n}" for n in range(30)))
    told: dict[str, JsonValue] = {
        "wanted": [wanted],
        "unwanted": [unwanted],
        "min_probability": 0.5,
    }
    good, bad = judge("classifier", told, "怎么退货", "今天天气如何")
    assert (good.is_dropped, bad.is_dropped) == (False, True)


def test_perplexity_is_measured_by_what_is_given() -> None:
    short, long = judge("perplexity", {"max_perplexity": 20, "examples": 0}, "退", "退" * 40)
    assert (short.reason, long.reason) == ("", "perplexity_too_high")


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("similar", {"min_similarity": 0.9}, "step similar needs an embedder"),
        ("similarity", {"domain": "a"}, "step similarity needs an embedder"),
        ("perplexity", {}, "step perplexity needs the base model"),
        ("leakage", {"test": []}, "step leakage: test: Tuple should have at least 1 item"),
    ],
)
def test_a_step_without_what_it_needs_is_refused(
    name: str, settings: dict[str, JsonValue], told: str
) -> None:
    with pytest.raises(InvalidPipeline, match=told):
        make_step(StepEntry(name=name, settings=settings), BARE)
