"""One score: quality × quantity × match, each part its weakest figure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from adapters.data import Domain, Expectations, Row, RowsNeeded, check_rows
from adapters.data.readiness.score import Readiness
from tests.adapters.data.readiness.rows import row

TODAY = date(2026, 6, 30)
NAMES = tuple(f"场景{n}" for n in range(10))


def alike(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    return np.ones((len(texts), 1), dtype=np.float32)


NEAR = Domain("台灯", alike, 0.5, "the test")


def good(count: int = 100, **meta: object) -> list[Row]:
    """Each question labelled twice and alike, ten scenarios, of this year."""
    said: dict[str, Any] = {"date": "2026-03-01", **meta}
    half = [
        row(f"问题 {n}", ["是", "否"][n % 2], line=n + 1, scenario=NAMES[n % 10], **said)
        for n in range(count // 2)
    ]
    return [*half, *half]


def rated(rows: list[Row], needed: int = 50, **more: object) -> Readiness:
    expected = Expectations(TODAY, NAMES, NEAR, rows_needed=RowsNeeded(needed, 2 * needed), **more)  # type: ignore[arg-type]  # test values
    return check_rows(rows, expected).readiness


def parts(found: Readiness) -> dict[str, float | None]:
    return {part.name: part.percent for part in found.parts}


def test_it_is_the_product_of_its_parts() -> None:
    found = rated(good(), needed=100)
    assert parts(found) == {"quality": 50.0, "quantity": 50.0, "match": 100.0}
    assert found.percent == 25.0
    assert found.parts[0].figures["distinct"] == 50.0
    assert found.verdict == "pass"


def test_the_weakest_figure_is_the_part() -> None:
    rows = [
        row(
            f"问题 {n}", "是的，可以。", scenario=NAMES[n % 10], synthetic=n < 60, date="2026-03-01"
        )
        for n in range(100)
    ]
    found = rated(rows, label_disagreement_percent=24.0)
    assert found.parts[0].figures == {
        "agreement": 80.0,
        "recency": 100.0,
        "personal_data": 100.0,
        "distinct": 100.0,
        "synthetic": 50.0,
    }
    assert (found.parts[0].percent, found.percent, found.verdict) == (50.0, 50.0, "fail")


def test_business_lines_are_part_of_the_match() -> None:
    rows = good(business_line="金融")
    found = rated(rows, business_lines={"金融": 6, "法律": 4})
    assert found.parts[2].figures["business_lines"] == 60.0
    assert (parts(found)["match"], found.verdict) == (60.0, "fail")


def test_what_is_not_known_is_named_and_gives_no_score() -> None:
    found = check_rows([row("?", "free")], Expectations(TODAY)).readiness
    assert (found.percent, found.verdict) == (None, "unknown")
    assert parts(found) == {"quality": 100.0, "quantity": None, "match": None}
    assert found.parts[0].unknown == ("agreement", "recency")
    assert found.parts[2].unknown == ("relevance", "scenarios", "evenness")
    assert found.as_dict()["parts"][1] == {
        "name": "quantity",
        "percent": None,
        "figures": {},
        "unknown": ["rows"],
    }


@pytest.mark.parametrize("count", [1, 25, 100])
def test_enough_rows_are_not_more_than_enough(count: int) -> None:
    rows = good(2 * count)
    assert parts(rated(rows, needed=25))["quantity"] == min(100.0, 4.0 * count)
