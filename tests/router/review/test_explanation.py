"""A policy and a decision in words, in both languages, and every word there is."""

from __future__ import annotations

import pytest

from router import (
    DEFAULT_POLICY_FILE,
    Facts,
    Language,
    cases_file_of,
    decide,
    default_policy,
    describe_policy,
    explain_decision,
    explain_policy,
    find_rule,
    load_cases,
    rules_of,
)
from router.policy.loading import parse_policy

BARE = """\
name: bare
preference:
- {id: only, prefer: rag, when: asks_fact, because: {zh: 因, en: since}}
fallback:
  prefer: [rag, prompt_only, fine_tuned, hybrid]
  because: {zh: 因, en: since}
settle:
  rules:
  - {id: bold, outcome: prompt_only, when: degraded, because: {zh: 因, en: since}}
  otherwise: {zh: 因, en: since}
  without_retrieval: {zh: 因, en: since}
"""
LIVE = {
    "adapter_present": True,
    "adapter_servable": True,
    "adapter_context_trained": True,
    "knowledge_present": True,
}


def test_a_bare_policy_is_told_whole() -> None:
    policy = parse_policy(BARE, file="p.yaml")
    assert "\n".join(explain_policy(policy, list(rules_of(policy)), Language.EN)) == (
        "Preferences (in order, the first that holds)\n"
        "  only: prefers rag  [3]\n"
        "    when asks_fact\n"
        "    because: since\n"
        "\n"
        "When none of these chooses\n"
        "  fallback: tries rag, prompt_only, fine_tuned, hybrid in this order\n"
        "    because: since\n"
        "\n"
        "After retrieval\n"
        "  bold: answers without passages and says so  [9]\n"
        "    when degraded\n"
        "    because: since"
    )


@pytest.mark.parametrize("lang", list(Language))
def test_every_rule_of_the_default_policy_is_told_with_its_reason(lang: Language) -> None:
    policy = default_policy()
    rules = list(rules_of(policy))
    told = "\n".join(explain_policy(policy, rules, lang))
    for rule in describe_policy(policy, rules)["rules"]:
        assert f"  {rule['id']}: {rule['effect'][lang]}" in told
        assert rule["because"][lang] in told
    for name, threshold in policy.thresholds.items():
        assert f"  {name} = {threshold.value}" in told


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            Language.EN,
            [
                "hybrid is chosen, by rule need_both",
                "it answers as a pilot",
                "min_passages = 2 (declared by the use case instead of 1)",
                "not chosen rag: need_both:",
                '  need_both: true\n    when need == "both": true  (need = both)',
                "unless any of: true",
            ],
        ),
        (
            Language.ZH,
            [
                "选择 hybrid，依据规则 need_both",
                "作为试点作答",
                "min_passages = 2 (由用例声明，原值 1)",
            ],
        ),
    ],
)
def test_a_decision_is_told_with_what_it_rests_on(lang: Language, words: list[str]) -> None:
    policy = default_policy().with_thresholds({"min_passages": 2})
    facts = Facts.build(
        {"need": "both", "labelled_examples": 300}, {**LIVE, "context_bearing_examples": 200}
    )
    told = "\n".join(explain_decision(decide(facts, policy), lang))
    for word in words:
        assert word in told


def test_the_verdict_of_every_tree_is_that_of_its_rule() -> None:
    policy = default_policy()
    for row in load_cases(cases_file_of(DEFAULT_POLICY_FILE)).rows:
        findings = decide(row.facts(), policy, asked=row.asked).findings
        judged = [finding for finding in findings if finding.leaves]
        sections = (policy.hard, policy.decline, policy.evidence, policy.preference)
        assert len(judged) == sum(map(len, sections)) + 1
        for finding in judged:
            verdicts = {
                key: finding.leaves[node].verdict if isinstance(node, int) else node["verdict"]
                for key, node in finding.nodes().items()
            }
            lifted = verdicts.get("unless") == "true"
            assert finding.verdict == ("false" if lifted else verdicts["when"])


def test_a_told_node_shows_the_values_it_read() -> None:
    facts = Facts.build({"labelled_examples": 300})
    told = list(explain_decision(decide(facts, default_policy()), Language.EN))
    at = told.index("  too_few_examples_for_fine_tuned: true")
    assert told[at + 1 : at + 3] == [
        "    when any of: true",
        "      labelled_examples < min_labelled_examples: true"
        "  (labelled_examples = 300, min_labelled_examples = 2000)",
    ]
    assert ": unknown" in told[at + 3]


def test_an_unknown_rule_is_not_found() -> None:
    assert find_rule(default_policy(), "nothing") is None
    assert find_rule(default_policy(), "fallback") is not None
