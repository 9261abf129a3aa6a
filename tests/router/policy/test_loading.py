"""Loading a policy: what is refused, and where the refusal points."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from router import Facts, InvalidPolicy, Policy, decide, default_policy, load_policy
from router.policy.loading import DEFAULT_POLICY_FILE, parse_policy

HEAD = """\
name: small
thresholds:
  limit: {value: 3, source: test}
  domain_name: {value: retail, source: test}
"""
RULE = """\
preference:
- id: first
  prefer: rag
  when: %s
  because: {zh: 因, en: since}
"""
TAIL = """\
fallback:
  prefer: [rag, prompt_only, fine_tuned, hybrid]
  because: {zh: 因, en: since}
settle:
  otherwise: {zh: 因, en: since}
  without_retrieval: {zh: 因, en: since}
"""


def build(condition: str, *, head: str = HEAD, tail: str = TAIL) -> Policy:
    return parse_policy(head + RULE % condition + tail, file="p.yaml")


def refuse(text: str) -> InvalidPolicy:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text, file="p.yaml")
    assert caught.value.file == "p.yaml"
    assert str(caught.value).startswith("p.yaml")
    return caught.value


def test_default_policy_loads_and_every_threshold_has_a_source() -> None:
    policy = default_policy()
    assert policy.version.startswith("default@")
    assert all(threshold.source for threshold in policy.thresholds.values())
    assert load_policy(DEFAULT_POLICY_FILE).version == policy.version


def test_a_changed_file_has_another_version(tmp_path: Path) -> None:
    changed = tmp_path / "policy.yaml"
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    changed.write_text(text + "# another line\n", encoding="utf-8")
    assert load_policy(changed).version != default_policy().version


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        load_policy(tmp_path / "none.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        load_policy(str(file))


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("nead == 'style'", "nead"),
        ("labelled_examples > 'many'", "data type mismatch"),
        ("labelled_examples >", "syntax error"),
        ("labelled_examples", "an expression must be true or false"),
        ("limit > 2", "names no fact"),
        ("1 > 0", "names no fact"),
        ("need == 'styl'", "need is one of knowledge | style | both"),
        ("'styl' == need", "need is one of"),
        ("need in ['style', 'non']", "need is one of"),
        ("need == domain_name", "need is one of"),
        ("need in [1]", "one type among values of another"),
        ("asks_fact == 1", "different types"),
        ("need and asks_fact", "true or false"),
        ("not need", "true or false"),
        ("not (need == 'styl')", "need is one of"),
        ("asks_fact and (need == 'styl')", "need is one of"),
        ("$now > d'2020-01-01'", "is not allowed"),
        ("labelled_examples > 1/0", "division"),
        ("domain =~ '('", "regular expression"),
        ("[]", "must be an expression"),
        ("3", "must be an expression"),
        ("{}", "must be an expression"),
        ("{all: [asks_fact], any: [asks_fact]}", "must be an expression"),
        ("{some: [asks_fact]}", "is not one of all, any, none"),
        ("{all: []}", "at least one condition"),
        ("{all: asks_fact}", "at least one condition"),
    ],
)
def test_a_bad_condition_is_refused_with_its_place(condition: str, reason: str) -> None:
    quoted = f'"{condition}"' if condition[0] not in "[{3" else condition
    error = refuse(HEAD + RULE % quoted + TAIL)
    assert reason in error.reason
    assert error.key.startswith("preference[0].when")
    assert error.line == 8


def test_the_line_of_a_nested_leaf_is_named() -> None:
    condition = "\n    all:\n    - asks_fact\n    - any:\n      - nead"
    error = refuse(HEAD + RULE % condition + TAIL)
    assert error.key == "preference[0].when.all[1].any[0]"
    assert error.line == 12


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("", "", "valid dictionary"),
        ("[1]", "", "valid dictionary"),
        ("name: [", "", "not YAML"),
        ("name: a\nname: b\n", "name", "given twice"),
        ("name: &x a\nfallback: *x\n", "", "aliases are not allowed"),
        ("name: 0x\n_", "", "not YAML"),
        ("when: 2024-99-99", "", "unreadable value"),
        ("[" * 60 + "]" * 60, "", "nested too deeply"),
        ("[" * 9000 + "]" * 9000, "", "nested too deeply"),
        ("\x00", "", "not YAML"),
        (HEAD, "fallback", "Field required"),
        (HEAD + TAIL + "extra: 1", "extra", "not permitted"),
        (HEAD + TAIL.replace("en: since", "en: ' '", 1), "fallback.because.en", "at least 1"),
        (HEAD + TAIL.replace("rag, ", "", 1), "fallback.prefer", "must order each of"),
        (HEAD + TAIL.replace("rag, ", "rag, rag, ", 1), "fallback.prefer", "must order each"),
        (HEAD + TAIL.replace("rag, ", "bag, ", 1), "fallback.prefer[0]", "prompt_only"),
        (HEAD.replace(", source: test", "", 1) + TAIL, "thresholds.limit.source", "required"),
        (HEAD.replace("value: 3", "value: .inf") + TAIL, "thresholds.limit.value", ""),
        (HEAD.replace("limit:", "need:") + TAIL, "thresholds.need", "name of a fact"),
        (HEAD.replace("limit:", "passages:") + TAIL, "thresholds.passages", "name of a fact"),
        (HEAD.replace("small", "Small") + TAIL, "name", "pattern"),
    ],
)
def test_a_bad_file_is_refused_with_key_and_reason(text: str, key: str, reason: str) -> None:
    error = refuse(text)
    assert error.key == key
    assert reason in error.reason


def test_a_shape_fault_names_the_line() -> None:
    assert refuse(HEAD + TAIL + "extra: 1").line == 11


@pytest.mark.parametrize("taken", ["first", "fallback", "asked", "otherwise"])
def test_an_id_may_be_used_once(taken: str) -> None:
    second = (RULE % "asks_fact").replace("preference", "evidence").replace("first", taken)
    error = refuse(HEAD + second + RULE % "asks_fact" + TAIL)
    assert "already taken" in error.reason
    assert error.key.endswith(".id")


def test_a_rule_may_name_a_strategy_once() -> None:
    error = refuse(HEAD + (RULE % "asks_fact").replace("prefer: rag", "prefer: [rag, rag]") + TAIL)
    assert "twice" in error.reason


def test_a_hard_rule_must_say_what_unknown_means() -> None:
    hard = (
        (RULE % "asks_fact").replace("preference", "hard").replace("prefer: rag", "forbid: [rag]")
    )
    assert refuse(HEAD + hard + TAIL).key == "hard[0].unknown"


def test_settle_rules_may_name_what_retrieval_brought_and_others_may_not() -> None:
    rule = (
        "  rules:\n  - {id: few, outcome: abstain, when: passages < limit, because: {zh: a, en: a}}"
    )
    assert len(parse_policy(HEAD + TAIL + rule, file="p").settling.rules) == 1
    assert "passages" in refuse(HEAD + RULE % "passages < limit" + TAIL).reason


def test_a_leaf_shared_by_rules_is_compiled_once() -> None:
    policy = build("{any: [asks_fact, asks_fact, {none: [asks_fact]}]}")
    assert len(policy.leaves) == 1


def test_a_policy_without_rules_falls_back() -> None:
    policy = parse_policy(HEAD + TAIL, file="p.yaml")
    decision = decide(Facts.build(), policy)
    assert (decision.strategy, decision.rule) == ("rag", "fallback")
    assert [finding.rule for finding in decision.findings] == ["fallback"]


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        default_policy().name = "other"  # type: ignore[misc]  # that is what is tested
