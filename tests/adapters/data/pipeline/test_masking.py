"""The step that masks personal data."""

from adapters.data.pipeline.masking import Mask
from tests.adapters.data.readiness.rows import row


def test_personal_data_is_replaced_in_every_turn_and_in_the_rejected_answer() -> None:
    one = row("打13812345678", "好", rejected="a@b.cn", scenario="s")
    (result,) = Mask().run([one])
    (masked,) = result.rows
    assert [turn.content for turn in masked.messages] == ["打<cn_mobile>", "好"]
    assert masked.meta == {"rejected": "<email>", "scenario": "s"}
    assert result.reason == "personal_data"
    (clean,) = Mask().run([masked])
    assert (clean.rows, clean.reason) == ((masked,), "")
