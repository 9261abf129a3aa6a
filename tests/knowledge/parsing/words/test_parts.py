"""What is dropped from a text is told with the lines it stood in, the first few by name."""

from knowledge.parsing.words.parts import Remainder, lines_of, told


def test_what_is_left_has_the_lines_of_what_was_dropped() -> None:
    text = "a\nbb\ncc\nd\nee"
    left = Remainder(text)
    left.drop(text.index("bb"), text.index("d"))
    left.drop(text.index("ee"), len(text))
    assert left.text() == "a\nd\n"
    assert left.lines == [2, 5]


def test_five_places_are_named_and_the_rest_is_counted() -> None:
    (one,) = told("picture", lines_of(range(1, 6)), "why")
    assert (one.what, one.where) == ("picture (5)", "line 1, line 2, line 3, line 4, line 5")
    (more,) = told("picture", lines_of(range(1, 9)), "why")
    assert more.where == "line 1, line 2, line 3, line 4, line 5 and 3 more"


def test_a_place_is_named_once() -> None:
    (one,) = told("picture", lines_of([3, 3, 4]), "why")
    assert (one.what, one.where) == ("picture (3)", "line 3, line 4")
    assert told("picture", [], "why") == []
