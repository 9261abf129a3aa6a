"""The name of a request tells every part of it apart, and has one length."""

from itertools import combinations

from service.stores.requests.request_names import request_name


def test_other_parts_are_another_name() -> None:
    made = [("a", "b"), ("b", "a"), ("ab",), ("a", None), ("a", ""), ('a", "b',), ("a", "b", "c")]
    assert request_name("a", "b") == request_name("a", "b")
    for first, second in combinations(made, 2):
        assert request_name(*first) != request_name(*second)


def test_long_parts_make_no_longer_name() -> None:
    assert len(request_name("t", None, "k" * 200)) == len(request_name("")) == 64
