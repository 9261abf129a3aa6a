"""Rows are given what they do not say of themselves."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.data.pipeline.tags import Tag, TagSettings
from tests.adapters.data.readiness.rows import row

FILE = Path("faq/退货/导出_20260301.txt")


def tagged(
    question: str = "怎么退货", /, *, meta: Mapping[str, object] | None = None, **settings: object
) -> object:
    one = replace(row(question, "a"), file=FILE, meta=meta or {})
    (result,) = Tag(TagSettings.model_validate(settings)).run([one])
    return dict(result.rows[0].meta)


def test_folder_name_and_settings_say_what_the_row_does_not() -> None:
    assert tagged(scenario_from="folder") == {"scenario": "退货"}
    assert tagged(business_line_from="folder") == {"business_line": "退货"}
    assert tagged(date_from="name") == {"date": "2026-03-01"}
    assert tagged(date="2026-01-02", scenario="其他") == {"date": "2026-01-02", "scenario": "其他"}
    assert tagged() == {}


def test_words_of_the_question_come_before_the_folder() -> None:
    words = {"物流": ["快递", "发货"], "发票": ["发票", "VAT"]}
    assert tagged("什么时候发货", scenario_words=words) == {"scenario": "物流"}
    assert tagged("a vat receipt", scenario_words=words, scenario_from="folder") == {
        "scenario": "发票"
    }
    assert tagged("别的", scenario_words=words, scenario_from="folder") == {"scenario": "退货"}


def test_what_a_row_says_stays() -> None:
    own = {"intent": "x", "created_at": 1772323200, "business_line": "金融"}
    assert tagged(meta=own, scenario="y", date="2020-01-01", business_line="z") == own


def test_a_name_without_a_day_gives_none() -> None:
    one = replace(row("a", "b"), file=Path("x/2026-13-45.txt"))
    (result,) = Tag(TagSettings(date_from="name")).run([one])
    assert (result.rows, result.reason) == ((one,), "")


def test_a_date_must_be_iso() -> None:
    with pytest.raises(ValidationError):
        TagSettings(date="3 March")
