"""The step that masks rows: every turn, every spelling, and nothing else."""

import random
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.data.folding import fold
from adapters.data.personal import MaskPersonalData, MaskSettings, find_personal_data
from adapters.data.rows import Message, Row
from tests.adapters.data.personal.test_finding import FOUND, NOT_FOUND, SPELLINGS

KEY = b"a key of a home, 32 bytes long.."
STEP = MaskPersonalData(MaskSettings(), KEY)
NAMES = MaskPersonalData(MaskSettings(names_and_addresses=True), KEY)


def row(question: str, answer: str, **meta: object) -> Row:
    """Return a row of one question and answer."""
    return Row((Message("user", question), Message("assistant", answer)), meta, Path("r.jsonl"), 7)


def test_a_row_is_masked_in_every_turn_and_counted_by_kind() -> None:
    [result] = STEP.run([row("电话13812345678？", "是138-1234-5678，邮箱a@qq.com")])
    question, answer = (message.content for message in result.rows[0].messages)
    assert (result.reason, result.detail) == ("personal_data", "2 cn_mobile, 1 email")
    assert result.scores == {"cn_mobile": 2.0, "email": 1.0}
    assert question[2:13] == answer[1:14].replace("-", "")
    assert "1234" not in question + answer
    assert (result.rows[0].file, result.rows[0].line) == (Path("r.jsonl"), 7)


def test_dashes_dots_and_brackets_stay_as_they_are_written() -> None:
    assert STEP.mask("京A·12345")[2] == "·"
    masked = STEP.mask("（010）6200－0000")
    assert (masked[:5], masked[9]) == ("（010）", "－")


def test_a_clean_row_goes_on_as_it_is() -> None:
    rows = [row(text, "好") for text in NOT_FOUND]
    results = list(STEP.run(rows))
    assert [result.rows for result in results] == [(each,) for each in rows]
    assert {result.reason for result in results} == {""}


def test_what_the_metadata_says_is_masked_too_but_no_date() -> None:
    before = row("问", "答", rejected="打13812345678", context=["a@qq.com"], date="2024-01-01")
    [result] = STEP.run([before])
    meta = result.rows[0].meta
    assert meta["rejected"] != before.meta["rejected"]
    assert "qq.com" not in str(meta["context"])
    assert meta["date"] == "2024-01-01"


def test_a_copy_that_no_word_announces_is_masked_with_the_one_that_is() -> None:
    masked = STEP.mask("电话是67016992，工单67016992已建，id=X67016992")
    assert "67016992" not in masked
    assert STEP.mask("工单67016992已建") == "工单67016992已建"


@pytest.mark.parametrize("names", [False, True])
def test_masking_again_changes_nothing(names: bool) -> None:
    step = NAMES if names else STEP
    for text in [*(text for text, _, _ in FOUND), *(f"是{written}。" for _, written in SPELLINGS)]:
        once = step.mask(text)
        assert step.mask(once) == once


def test_of_many_numbers_side_by_side_none_is_left() -> None:
    choice = random.Random(18)
    texts = [text for text, _, _ in FOUND]
    for _ in range(300):
        text = choice.choice(["，", "\n", "。"]).join(choice.sample(texts, 4))
        masked = STEP.mask(text)
        assert find_personal_data(masked) == []
        assert not [
            one
            for one in find_personal_data(text)
            if fold(text[one.start : one.end]) in fold(masked)
        ]


def test_names_and_addresses_are_masked_where_asked() -> None:
    text = "收件人：王小明，地址：北京市朝阳区建国路100号。王小明已签收"
    assert STEP.mask(text) == text
    masked = NAMES.mask(text)
    assert "王小明" not in masked
    assert "建国路" not in masked
    assert masked.startswith("收件人：某")


def test_results_depend_on_settings_and_key_and_tell_no_key() -> None:
    other = MaskPersonalData(MaskSettings(), KEY[::-1])
    assert STEP.settings != other.settings
    assert STEP.settings != NAMES.settings
    assert KEY.decode() not in str(STEP.settings)
    assert STEP.name == "mask_personal_data"


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValidationError):
        MaskSettings.model_validate({"kinds": ["email"]})
