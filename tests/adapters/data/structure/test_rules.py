import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.data.structure.annotation import load_annotation
from adapters.data.structure.rules import ApplyRules, RuleSettings, load_rules
from adapters.data.structure.texts import document_row
from adapters.errors import InvalidRules
from tests.adapters.data.structure.conftest import qa

CLAUSES = r"""
rules:
  - id: clause
    pattern: '^\s*第(?P<number>[\d.]+)条[ 　]*(?P<title>[^\n。；：]{1,20}(?=[\n：]))?'
    body_until: '^第[一二三四五六七八九十]+章'
    rows:
      - instruction: 合同第{number}条的内容是什么？
        output: '{whole}'
      - instruction: 合同中“{title}”是怎么约定的？
        output: '{body}'
    meta: {scenario: 合同条款}
"""
CONTRACT = """房屋租赁合同
第一章 租金
第3.1条 租金标准：每月 4,500 元。
第3.2条 付款方式：每月5日前支付；
逾期按千分之三支付违约金。
第3.10条　押金为两个月租金。
第四章 违约责任
"""


def test_numbered_clauses_become_questions_and_answers(write: Callable[[str], Path]) -> None:
    step = ApplyRules(load_rules(write(CLAUSES)))
    [result] = step.run([document_row(CONTRACT, Path("合同.txt"))])
    assert (result.reason, result.detail) == ("structured", "5 by clause")
    assert [tuple(turn.content for turn in row.messages) for row in result.rows] == [
        ("合同第3.1条的内容是什么？", "第3.1条 租金标准：每月 4,500 元。"),
        ("合同中“租金标准”是怎么约定的？", "每月 4,500 元。"),
        (
            "合同第3.2条的内容是什么？",
            "第3.2条 付款方式：每月5日前支付；\n逾期按千分之三支付违约金。",
        ),
        ("合同中“付款方式”是怎么约定的？", "每月5日前支付；\n逾期按千分之三支付违约金。"),
        ("合同第3.10条的内容是什么？", "第3.10条　押金为两个月租金。"),  # it has no title
    ]
    meta = {"source": "合同.txt", "scenario": "合同条款", "made_by": "structure", "rule": "clause"}
    assert all((row.meta, row.file.name, row.line) == (meta, "合同.txt", 1) for row in result.rows)


def rules(pattern: str, **more: object) -> RuleSettings:
    rule = {
        "id": "r",
        "pattern": pattern,
        "rows": [{"instruction": "{match}？", "output": "{body}"}],
    }
    return RuleSettings.model_validate({"rules": [rule], **more})


def test_an_object_as_output_becomes_json() -> None:
    row = {
        "instruction": "抽取甲方",
        "input": "{match}",
        "output": {"甲方": "{a}", "数": [1, "{a}"]},
    }
    rule = {"id": "r", "pattern": "甲方：(?P<a>.+)", "rows": [row]}
    step = ApplyRules(RuleSettings.model_validate({"rules": [rule]}))
    [result] = step.run([document_row('甲方：张"三"公司', Path("a.txt"))])
    question, answer = (turn.content for turn in result.rows[0].messages)
    assert question == '抽取甲方\n\n甲方：张"三"公司'
    assert json.loads(answer) == {"甲方": '张"三"公司', "数": [1, '张"三"公司']}


def test_what_no_rule_matches_is_dropped_or_kept_but_never_a_document() -> None:
    rows = [qa("在吗", "您好"), document_row("没有条款", Path("a.txt"))]
    dropped = list(ApplyRules(rules("第.条")).run(rows))
    assert [(one.reason, one.rows) for one in dropped] == [("no_rule_matched", ())] * 2
    kept = list(ApplyRules(rules("第.条", keep_unmatched=True)).run(rows))
    assert [one.rows for one in kept] == [(rows[0],), ()]


def test_a_conversation_is_read_with_its_speakers() -> None:
    [result] = ApplyRules(rules("(?<=用户：).+")).run(
        [qa("怎么退货", "七天内可以", 7, date="2026-01-02")]
    )
    assert [turn.content for turn in result.rows[0].messages] == ["怎么退货？", "客服：七天内可以"]
    assert (result.rows[0].line, result.rows[0].meta["date"]) == (7, "2026-01-02")


def test_a_slow_pattern_drops_the_text_and_ends_the_step_after_ten() -> None:
    slow = document_row("a" * 3_000 + "b", Path("a.txt"))
    step = ApplyRules(rules("(a|aa)+$", timeout_s=0.01))
    good = document_row("aaa", Path("b.txt"))
    results = list(step.run([slow, good]))
    assert results[0].reason == "pattern_too_slow"
    with pytest.raises(InvalidRules, match="rule 'r' took longer than 0.01 s on 10 texts"):
        list(step.run([slow] * 10))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("{number}条的", "{nummer}条的"), "{nummer} stands for nothing; there are body, match"),
        (("{number}条的", "{number:>9}条的"), "a name alone stands between braces"),
        (("{number}条的", "{number.x}条的"), "is no name"),
        (("?P<number>[", "?P<body>["), "a group cannot be called body"),
        (("[一二三四五六七八九十]+", "("), "not a pattern"),
        (("body_until", "body_untl"), "rules.0.body_untl"),
        (("rules:", "ruls:"), "rules"),
    ],
)
def test_a_wrong_rule_file_is_refused_by_its_key(
    write: Callable[[str], Path], change: tuple[str, str], why: str
) -> None:
    with pytest.raises(InvalidRules, match=why.replace("{", r"\{").replace("}", r"\}")):
        load_rules(write(CLAUSES.replace(*change)))


@pytest.mark.parametrize("content", ["", "- a", "rules: [", "\x00"])
def test_a_file_that_is_no_rule_file_is_refused(write: Callable[[str], Path], content: str) -> None:
    with pytest.raises(InvalidRules):
        load_rules(write(content))


def test_two_rules_of_one_name_are_refused() -> None:
    rule = {"id": "r", "pattern": "x", "rows": [{"instruction": "{match}", "output": "y"}]}
    with pytest.raises(ValueError, match="two rules are called 'r'"):
        RuleSettings.model_validate({"rules": [rule, rule]})


def test_the_examples_of_the_readme_are_valid(write: Callable[[str], Path]) -> None:
    readme = Path(__file__).parents[4] / "adapters" / "README.md"
    blocks = re.findall(r"```yaml\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    [rules_file] = [block for block in blocks if block.startswith("rules:")]
    [annotation] = [block for block in blocks if block.startswith("instruction:")]
    [result] = ApplyRules(load_rules(write(rules_file))).run([document_row(CONTRACT, Path("a"))])
    assert len(result.rows) == 5
    assert load_annotation(write(annotation)).each == "pairs"
