"""Steps one after the other: counts, samples, dropped rows."""

from adapters.data.cleaning import (
    Cleaning,
    Deduplicate,
    Near,
    Noise,
    NoiseSettings,
    Normalise,
    NormaliseSettings,
    clean,
)
from adapters.data.steps import Step
from tests.adapters.data.cleaning.rows import rows

STEPS: list[Step] = [Normalise(NormaliseSettings()), Noise(NoiseSettings()), Deduplicate(), Near()]


def test_every_row_is_counted_once_and_every_dropped_one_is_handed_on() -> None:
    said = "请打开设置页面，点击修改登录密码，按提示操作。"
    given = rows(
        ("在吗", "在"), ("改密码１", said), ("改密码1", said), ("改密码1", "找人工客服处理吧")
    )
    told, gone = Cleaning(), list[tuple[str, int, str]]()
    left = clean(
        given,
        STEPS,
        told,
        on_dropped=lambda step, result: gone.append((step, result.row.line, result.reason)),
    )
    assert [row.line for row in left] == [2, 4]
    assert gone == [("noise", 1, "chitchat"), ("deduplicate", 3, "duplicate")]
    assert (told.rows, told.written, sum(told.dropped.values())) == (4, 2, 2)
    assert told.changed == {"normalise: spelling": 1}


def test_samples_show_the_place_of_the_change_and_mask_personal_data() -> None:
    long = "请您先登录网站，" * 9
    told = Cleaning()
    list(clean(rows((long + "再拨打13812345678转１号", "好的，马上")), STEPS[:1], told))
    (sample,) = told.samples["normalise: spelling"]
    assert sample.before.startswith("…")
    assert "<cn_mobile>转１号" in sample.before
    assert "<cn_mobile>转1号" in sample.after
    assert "13812345678" not in str(told.as_dict())
