"""A wrong row is told in plain words, with none of the validator's own."""

from typing import Any

import pytest

from service.compare import parse_set
from service.errors import InvalidRequest

ROW: dict[str, Any] = {"id": "a", "question": "?", "kind": "fact", "answers": ["x"]}
INSIDES = ("Input should", "Field required", "validation", "Value error", "tuple[", "pydantic")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({**ROW, "kind": "riddle"}, "row 1: kind: must be one of 'fact', 'style', 'both'"),
        ({**ROW, "kind": None}, "row 1: kind: must be one of"),
        ({k: v for k, v in ROW.items() if k != "kind"}, "row 1: kind: is missing"),
        ({**ROW, "id": ""}, "row 1: id: must not be empty"),
        ({**ROW, "id": 7}, "row 1: id: must be text"),
        ({**ROW, "id": "x" * 201}, "row 1: id: must have at most 200 characters"),
        ({**ROW, "answers": "x"}, "row 1: answers: must be a list"),
        ({**ROW, "answers": [3]}, "row 1: answers.0: must be text"),
        ({**ROW, "answers": []}, "row 1: row: a fact question needs `answers`"),
        ({**ROW, "schema": 3}, "row 1: schema: must be an object"),
        ({**ROW, "history": [{"role": "user", "content": "x", "name": "y"}]}, "is not a known key"),
        ({**ROW, "history": ["x"]}, "row 1: history.0: must be an object"),
        (["a"], "row 1: row: must be an object"),
        (None, "row 1: row: must be an object"),
        (3, "row 1: row: must be an object"),
    ],
)
def test_a_wrong_row_is_told_in_plain_words(row: Any, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_set([row])
    assert said in str(refused.value)
    assert not any(word in str(refused.value) for word in INSIDES)
