from typing import Any

import pytest

from knowledge import InvalidFilter, read_filter
from knowledge.filters import Comparison, Compound, Joiner, Operator

Json = dict[str, Any]


def eq(key: str = "plan", value: object = "basic") -> Json:
    return {"type": "eq", "key": key, "value": value}


def nested(levels: int) -> Json:
    found = eq()
    for _ in range(levels):
        found = {"type": "and", "filters": [found]}
    return found


@pytest.mark.parametrize("operator", ["eq", "ne", "gt", "gte", "lt", "lte"])
def test_a_comparison_is_read_as_it_is_written(operator: str) -> None:
    written = {"type": operator, "key": "year", "value": 2026}
    assert read_filter(written) == Comparison("year", Operator(operator), (2026,))


@pytest.mark.parametrize("operator", ["in", "nin"])
def test_a_list_gives_each_of_its_values(operator: str) -> None:
    written = {"type": operator, "key": "year", "value": [2025, "draft", True]}
    assert read_filter(written) == Comparison("year", Operator(operator), (2025, "draft", True))


def test_conditions_are_joined_and_nested() -> None:
    written = {"type": "or", "filters": [eq(), {"type": "and", "filters": [eq("a", 1)]}]}
    inner = Compound(Joiner.AND, (Comparison("a", Operator.EQ, (1,)),))
    assert read_filter(written) == Compound(
        Joiner.OR, (Comparison("plan", Operator.EQ, ("basic",)), inner)
    )


@pytest.mark.parametrize(
    "written",
    [
        {"plan": "basic", "year": 2026},
        {"type": "invoice", "year": 2026},
        {"type": "invoice"},
        {"key": "K-1"},
        {"type": "invoice", "key": "K-1"},
    ],
)
def test_an_object_without_an_operator_names_attributes(written: Json) -> None:
    found = read_filter(written)
    compared = found.filters if isinstance(found, Compound) else (found,)
    assert compared == tuple(
        Comparison(key, Operator.EQ, (value,)) for key, value in written.items()
    )


def test_an_empty_object_is_no_filter() -> None:
    assert read_filter({}) is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"type": "like", "key": "plan", "value": "b"}, "'like' is no operator; choose one of eq"),
        ({"type": "EQ", "key": "plan", "value": "b"}, "'EQ' is no operator"),
        ({"type": "not", "filters": [eq()]}, "'not' is no operator"),
        ({"type": None, "key": "plan", "value": "b"}, "None is no operator"),
        ({"type": ["eq"], "key": "plan", "value": "b"}, "is no operator"),
        ({"key": "plan", "value": "b"}, "no type; choose one of eq"),
        ({"type": "eq", "key": "plan"}, "eq needs value too"),
        ({"type": "eq"}, "eq needs key, value too"),
        ({"type": "and"}, "and needs filters too"),
        ({"type": "eq", "key": "a", "value": 1, "boost": 2}, "takes key, type, value, not boost"),
        ({"type": "and", "filters": [eq()], "key": "a"}, "and takes filters, type, not key"),
        ({"type": "and", "filters": []}, "filters.filters: a list of at least one"),
        ({"type": "and", "filters": eq()}, "filters.filters: a list of at least one"),
        ({"type": "and", "filters": "eq"}, "filters.filters: a list of at least one"),
        ({"type": "and", "filters": [eq(), 5]}, 'filters.filters[1]: an object with "type", not 5'),
        ({"type": "or", "filters": [{"plan": "b"}]}, "filters.filters[0]: no type"),
        (eq(key=""), "filters.key: the name of an attribute"),
        (eq(key=5), "filters.key: the name of an attribute, not 5"),  # type: ignore[arg-type]  # wrong on purpose
        (eq(value=None), "filters.value: text, number or boolean, not None"),
        (eq(value={"a": 1}), "filters.value: text, number or boolean"),
        (eq(value=float("nan")), "filters.value: text, number or boolean, not nan"),
        (eq(value=10**400), "filters.value: text, number or boolean"),
        (eq(value=["basic"]), "filters.value: eq takes one value, no list; use in or nin"),
        ({"type": "in", "key": "plan", "value": "b"}, "filters.value: in takes a list, not 'b'"),
        ({"type": "nin", "key": "plan", "value": [[1]]}, "filters.value[0]: text, number"),
        ({"type": "gt", "key": "plan", "value": True}, "gt takes a number or a text, not True"),
        ({"plan": ["basic"]}, "filters.plan: text, number or boolean, not ['basic']"),
        ({"plan": {"type": "eq", "value": 1}}, "filters.plan: text, number or boolean"),
        ({f"k{place}": 1 for place in range(17)}, "17 attributes; at most 16"),
        (eq(value=["x" * 99]), "one value, no list"),
        (eq(value={"a": "x" * 99}), f"not {{'a': '{'x' * 53}…"),
        (nested(21), "nested more than 20 deep"),
        ({"type": "or", "filters": [eq()] * 101}, "101 comparisons; at most 100"),
        ({"type": "in", "key": "a", "value": ["x"] * 1001}, "1001 values"),
    ],
)
def test_what_cannot_be_read_is_refused_and_told(written: Json, told: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        read_filter(written)
    assert told in str(refused.value)


def test_as_much_as_is_allowed_is_read() -> None:
    assert isinstance(read_filter(nested(20)), Compound)
    assert isinstance(read_filter({"type": "or", "filters": [eq()] * 100}), Compound)
    most = read_filter({"type": "in", "key": "a", "value": ["x"] * 1000})
    assert isinstance(most, Comparison)
    assert len(most.values) == 1000


def test_a_filter_nested_without_end_is_refused_and_no_error_of_ours() -> None:
    with pytest.raises(InvalidFilter, match="nested"):
        read_filter(nested(50_000))
