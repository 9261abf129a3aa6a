from typing import Any

import pytest

from knowledge import Knowledge, NewDocument, read_filter
from knowledge.sql.chunks import attribute_key
from knowledge.types import AttributeValue
from tests.knowledge.conftest import BASE, TENANT

DOCUMENTS: dict[str, dict[str, Any]] = {
    "a": {"year": 9, "plan": "basic", "draft": True, "on": "2026-02-01"},
    "b": {"year": 10, "plan": "gold", "draft": False, "on": "2026-11-30T08:00"},
    "c": {"year": 10.5, "plan": "基本", "on": "2025-12-31"},
    "d": {"year": "10", "plan": 'a "quoted" plan'},
    "e": {"plan": "basic plus", "size": 2**63},
    "f": {},
}


@pytest.fixture
def filled(knowledge: Knowledge) -> Knowledge:
    knowledge.ingest_many(
        BASE,
        [
            NewDocument(name, f"{name}.txt", f"lamp {name}".encode(), attributes)
            for name, attributes in DOCUMENTS.items()
        ],
        tenant=TENANT,
    )
    return knowledge


ROWS: list[tuple[str, str, Any, str]] = [
    ("eq", "plan", "basic", "a"),
    ("eq", "plan", "Basic", ""),
    ("eq", "plan", 'a "quoted" plan', "d"),
    ("eq", "plan", "基本", "c"),
    ("eq", "year", 10, "b"),
    ("eq", "year", 10.0, "b"),
    ("eq", "year", "10", "d"),
    ("eq", "draft", True, "a"),
    ("eq", "draft", 1, ""),
    ("eq", "draft", "true", ""),
    ("eq", "none", "x", ""),
    ("ne", "plan", "basic", "bcdef"),
    ("ne", "year", 10, "acdef"),
    ("ne", "none", "x", "abcdef"),
    ("gt", "year", 9, "bc"),
    ("gt", "year", 10, "c"),
    ("gte", "year", 10, "bc"),
    ("lt", "year", 10, "a"),
    ("lte", "year", 10, "ab"),
    ("lt", "year", 10.25, "ab"),
    ("gt", "year", "0", "d"),
    ("lt", "year", -1, ""),
    ("gt", "size", 2**63 - 1, "e"),
    ("gte", "size", 2**63, "e"),
    ("gt", "size", 10**300, ""),
    ("gt", "size", -(2**63) - 1, "e"),
    ("gte", "on", "2026-01-01", "ab"),
    ("lt", "on", "2026-01-01", "c"),
    ("gt", "plan", "basic", "bce"),
    ("lte", "plan", "basic", "ad"),
    ("gt", "draft", "", ""),
    ("in", "year", [9, 10.5, "10"], "acd"),
    ("in", "plan", ["gold", "basic"], "ab"),
    ("in", "plan", [], ""),
    ("in", "draft", [True, False], "ab"),
    ("nin", "plan", ["gold", "basic"], "cdef"),
    ("nin", "plan", [], "abcdef"),
    ("nin", "none", ["x"], "abcdef"),
]


def found(knowledge: Knowledge, written: dict[str, Any]) -> str:
    passages = knowledge.retrieve(
        "lamp", base_ids=[BASE], tenant=TENANT, top_k=9, filters=read_filter(written)
    ).passages
    return "".join(sorted(passage.external_id for passage in passages))


def test_each_operator_compares_by_type(filled: Knowledge) -> None:
    wrong = [
        (operator, key, value, names, left)
        for operator, key, value, names in ROWS
        if (left := found(filled, {"type": operator, "key": key, "value": value})) != names
    ]
    assert wrong == []


def test_conditions_are_joined_at_every_level(filled: Knowledge) -> None:
    basic = {"type": "eq", "key": "plan", "value": "basic"}
    late = {"type": "gte", "key": "year", "value": 10}
    odd = {"type": "nin", "key": "plan", "value": ["gold", "基本"]}
    assert found(filled, {"type": "or", "filters": [basic, late]}) == "abc"
    assert found(filled, {"type": "and", "filters": [basic, late]}) == ""
    both = {"type": "and", "filters": [late, odd]}
    assert found(filled, {"type": "or", "filters": [basic, both]}) == "a"
    assert (
        found(filled, {"type": "and", "filters": [{"type": "or", "filters": [basic, late]}, odd]})
        == "a"
    )


def test_a_filter_of_the_most_comparisons_is_answered(filled: Knowledge) -> None:
    many = [{"type": "gt", "key": "year", "value": 10 + place} for place in range(99)]
    written = {"type": "or", "filters": [*many, {"type": "eq", "key": "plan", "value": "gold"}]}
    assert found(filled, written) == "bc"
    values = [f"plan {place}" for place in range(999)]
    assert found(filled, {"type": "in", "key": "plan", "value": [*values, "gold"]}) == "b"


def test_the_attributes_of_the_version_in_force_count(filled: Knowledge) -> None:
    filled.ingest(BASE, "a", "a.txt", b"lamp a", attributes={"plan": "gold"}, tenant=TENANT)
    assert found(filled, {"type": "eq", "key": "plan", "value": "gold"}) == "ab"
    assert found(filled, {"type": "ne", "key": "plan", "value": "basic"}) == "abcdef"


def test_a_page_is_filled_after_filtering(filled: Knowledge) -> None:
    near = [NewDocument(f"n{i}", "n.txt", b"lamp lamp %d" % i, {"year": 1}) for i in range(60)]
    filled.ingest_many(BASE, near, tenant=TENANT)
    late = read_filter({"type": "gte", "key": "year", "value": 9})
    passages = filled.retrieve(
        "lamp", base_ids=[BASE], tenant=TENANT, top_k=3, filters=late
    ).passages
    assert sorted(passage.external_id for passage in passages) == ["a", "b", "c"]


def test_values_are_stored_as_earlier_releases_stored_them() -> None:
    values: list[AttributeValue] = ["基本", 1.0, 1.5, True, "1"]
    assert [attribute_key(value) for value in values] == ['"基本"', "1", "1.5", "true", '"1"']
