"""What a policy can never do is refused or warned of, with its place; and the proofs are true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router import Facts, InvalidPolicy, Policy, Strategy, decide, default_policy
from router.facts import FACTS
from router.policy.checks import Fault, find_faults
from router.policy.document import read_document, validate_policy
from router.policy.loading import EVIDENCE_FACTS, compile_policy, parse_policy
from tests.repetition import times

HEAD = """\
name: small
thresholds:
  limit: {value: 3, source: test}
"""
TAIL = """\
fallback:
  prefer: [rag, prompt_only, fine_tuned, hybrid]
  because: {zh: 因, en: since}
settle:
  otherwise: {zh: 因, en: since}
  without_retrieval: {zh: 因, en: since}
"""
BECAUSE = "because: {zh: 因, en: since}"


def hard(rule_id: str, forbid: str, when: str, unknown: str = "allow", more: str = "") -> str:
    return (
        f"- {{id: {rule_id}, forbid: [{forbid}], unknown: {unknown}, "
        f"when: {when}{more}, {BECAUSE}}}\n"
    )


def prefers(rule_id: str, prefer: str, when: str, more: str = "") -> str:
    return f"- {{id: {rule_id}, prefer: [{prefer}], when: {when}{more}, {BECAUSE}}}\n"


def load(*, hard: str = "", preference: str = "", settle: str = "") -> Policy:
    parts = [HEAD]
    parts += [f"hard:\n{hard}"] if hard else []
    parts += [f"preference:\n{preference}"] if preference else []
    parts += [TAIL, f"  rules:\n{settle}" if settle else ""]
    return parse_policy("".join(parts), file="p.yaml")


def refusal(**sections: str) -> InvalidPolicy:
    with pytest.raises(InvalidPolicy) as caught:
        load(**sections)
    return caught.value


NEVER = [
    "{all: [labelled_examples > 5, labelled_examples < limit]}",
    "labelled_examples > 5 and labelled_examples < 3",
    "{all: ['need == \"style\"', 'need == \"knowledge\"']}",
    "labelled_examples < 0",
    "{all: [asks_fact, {none: [asks_fact]}]}",
    "{all: [rag_p95_ms > max_latency_ms, rag_p95_ms < 100, max_latency_ms > 200]}",
    "{all: [rag_p95_ms > hybrid_p95_ms, hybrid_p95_ms >= rag_p50_ms, rag_p50_ms > rag_p95_ms]}",
    "{all: ['domain in [\"legal\"]', 'domain == \"retail\"']}",
    "{all: ['domain =~ \"^l\"', {none: ['domain =~ \"^l\"']}]}",
    "{none: [asks_fact, 'not asks_fact']}",
    "{all: [rag_p95_ms > hybrid_p95_ms, rag_p95_ms <= 5, hybrid_p95_ms >= 5]}",
    "{all: [rag_p95_ms == hybrid_p95_ms, rag_p95_ms < 5, hybrid_p95_ms > 5]}",
    "{all: [rag_score < hybrid_score, rag_score > 0.5, hybrid_score < 0.5]}",
]


@pytest.mark.parametrize("when", NEVER)
def test_a_rule_that_can_never_hold_is_refused(when: str) -> None:
    error = refusal(preference=prefers("first", "rag", "asks_fact") + prefers("dead", "rag", when))
    assert (error.key, error.line) == ("preference[1].when", 6)
    assert "can never be true" in error.reason


@pytest.mark.parametrize(
    "when",
    [
        "{all: [labelled_examples > 2, labelled_examples < limit]}",
        "{all: [rag_p95_ms > max_latency_ms, rag_p95_ms <= 200, max_latency_ms >= 100]}",
        "{all: [rag_p95_ms >= hybrid_p95_ms, hybrid_p95_ms >= rag_p95_ms]}",
        "{all: [rag_p95_ms >= hybrid_p95_ms, rag_p95_ms <= 5, hybrid_p95_ms >= 5]}",
        "{all: [rag_score != hybrid_score, rag_score > 0.5, hybrid_score > 0.5]}",
        "{all: ['domain != \"legal\"', 'domain != \"retail\"']}",
        "{all: [{any: ['need == \"style\"', asks_fact]}, "
        "{any: [{all: ['need == \"both\"', chitchat]}, "
        "{all: ['need == \"knowledge\"', chitchat]}, "
        "{all: ['need == \"knowledge\"', follow_up]}]}]}",
        "{all: [labelled_examples + 1 > 5, labelled_examples < 1]}",  # arithmetic is not seen
        "{all: [rag_score_low > rag_score_high]}",  # nor that facts hang together
        "{all: [knowledge_bases_named > 0, knowledge_bases_named < 1]}",  # nor whole numbers
        "labelled_examples < 1" + "0" * 400,
    ],
)
def test_what_may_hold_or_is_not_seen_is_let_pass(when: str) -> None:
    assert load(preference=prefers("alive", "rag", when)).warnings == ()


def test_a_settle_rule_that_can_never_hold_is_refused() -> None:
    dead = f"  - {{id: dead, outcome: abstain, when: passages < 0, {BECAUSE}}}\n"
    assert refusal(settle=dead).key == "settle.rules[0].when"


def test_an_unless_that_always_lifts_its_rule_is_refused() -> None:
    rule = prefers("dead", "rag", "labelled_examples > 5", ", unless: labelled_examples > limit")
    error = refusal(preference=rule)
    assert error.key == "preference[0].unless"
    assert "true whenever `when` is" in error.reason


def test_hard_rules_that_require_and_forbid_the_same_strategy_are_refused() -> None:
    error = refusal(
        hard=hard("needs_hybrid", "prompt_only, rag, fine_tuned", 'need == "both"')
        + hard("no_hybrid", "hybrid", "{any: ['need == \"both\"', asks_fact]}")
    )
    assert (error.key, error.line) == ("hard[0]", 5)
    assert "leaves only hybrid, which no_hybrid (line 6) forbid" in error.reason


def test_hard_rules_that_only_meet_sometimes_are_not_a_contradiction() -> None:
    rules = hard("cites", "prompt_only, fine_tuned", "citations_required")
    assert load(hard=rules + hard("empty", "rag, hybrid", "asks_fact")).warnings == ()


def test_one_rule_may_forbid_everything() -> None:
    everything = "prompt_only, rag, fine_tuned, hybrid"
    assert load(hard=hard("closed", everything, "asks_fact")).warnings == ()


def test_a_policy_under_which_nothing_can_ever_run_is_refused() -> None:
    error = refusal(
        hard=hard("one", "prompt_only, rag", "asks_fact", "forbid")
        + hard("two", "prompt_only, rag", "asks_fact == false", "forbid")
        + hard("three", "fine_tuned, hybrid", "chitchat", "forbid")
        + hard("four", "fine_tuned, hybrid", "chitchat == false", "forbid")
    )
    assert error.key == "hard"
    assert "no strategy can ever run" in error.reason


def test_where_nothing_can_run_no_single_rule_is_blamed() -> None:
    rules = [
        {"id": f"r{n}", "forbid": list(Strategy), "unknown": "forbid", "when": when}
        | {"because": {"zh": "因", "en": "since"}}
        for n, when in enumerate(["asks_fact", "asks_fact == false"])
    ]
    faults = list(find_faults(unchecked({"hard": rules}), FACTS, EVIDENCE_FACTS))
    assert [(fault.where, fault.refuses) for fault in faults] == [(("hard",), True)]


def test_a_strategy_that_can_never_run_is_warned_of() -> None:
    policy = load(
        hard=hard("one", "hybrid", "asks_fact", "forbid")
        + hard("two", "hybrid", "asks_fact == false", "forbid")
    )
    (warning,) = policy.warnings
    assert (warning.line, warning.key) == (5, "hard[0]")
    assert "hybrid can never run" in str(warning)


def test_a_rule_that_only_prefers_what_is_forbidden_then_is_refused() -> None:
    error = refusal(
        hard=hard("no_weights", "fine_tuned, hybrid", "data_deletable"),
        preference=prefers("wants_weights", "hybrid, fine_tuned", "data_deletable and asks_fact"),
    )
    assert error.key == "preference[0].prefer"
    assert "hybrid, fine_tuned, which no_weights (line 5) forbid" in error.reason


def test_a_rule_that_never_chooses_because_all_is_closed_then_is_warned_of() -> None:
    policy = load(
        hard=hard("closed", "prompt_only, rag, fine_tuned, hybrid", "data_deletable"),
        preference=prefers("wants_weights", "hybrid", "data_deletable"),
    )
    assert [w.key for w in policy.warnings] == ["preference[0].prefer"]


def test_a_preference_that_stands_in_vain_is_warned_of() -> None:
    policy = load(
        hard=hard("no_weights", "fine_tuned, hybrid", "data_deletable"),
        preference=prefers("wants_weights", "hybrid, rag", "data_deletable"),
    )
    assert [w.key for w in policy.warnings] == ["preference[0].prefer"]
    assert "hybrid, which no_weights (line 5)" in policy.warnings[0].reason


def test_a_rule_behind_a_wider_one_is_warned_of() -> None:
    policy = load(
        preference=prefers("wide", "rag", "labelled_examples > limit")
        + prefers("narrow", "hybrid", "labelled_examples > 5")
    )
    assert [(w.line, w.key) for w in policy.warnings] == [(6, "preference[1]")]
    assert "wide (line 5) already did" in policy.warnings[0].reason


def test_rules_that_forestall_another_only_together_are_warned_of() -> None:
    policy = load(
        preference=prefers("one", "rag", "asks_fact")
        + prefers("other", "rag", "asks_fact == false")
        + prefers("late", "hybrid", "asks_fact or chitchat")
    )
    assert "one (line 5), other (line 6) already did" in policy.warnings[0].reason


def test_rules_that_leave_the_unknown_open_do_not_forestall_another() -> None:
    policy = load(
        preference=prefers("one", "rag", "asks_fact")
        + prefers("other", "rag", "asks_fact == false")
        + prefers("late", "hybrid", "chitchat")
    )
    assert policy.warnings == ()


def test_a_rule_behind_one_that_may_find_nothing_eligible_is_not_shadowed() -> None:
    policy = load(
        hard=hard("no_hybrid", "hybrid", "chitchat"),
        preference=prefers("first", "hybrid", "asks_fact") + prefers("second", "rag", "asks_fact"),
    )
    assert policy.warnings == ()


def test_a_settle_rule_behind_a_wider_one_is_warned_of() -> None:
    rules = "".join(
        f"  - {{id: {name}, outcome: abstain, when: passages < {n}, {BECAUSE}}}\n"
        for name, n in (("wide", 3), ("narrow", 2))
    )
    (warning,) = load(settle=rules).warnings
    assert warning.key == "settle.rules[1]"


@pytest.mark.parametrize(
    ("when", "key"),
    [
        ("{any: [asks_fact, labelled_examples < 0]}", "preference[0].when.any[1]"),
        ("labelled_examples >= 0", "preference[0].when"),
    ],
)
def test_a_part_that_changes_nothing_is_warned_of(when: str, key: str) -> None:
    assert [w.key for w in load(preference=prefers("odd", "rag", when)).warnings] == [key]


def test_the_default_policy_has_nothing_to_warn_of() -> None:
    assert default_policy().warnings == ()


def test_a_policy_too_entangled_to_judge_loads_and_says_so() -> None:
    rules = "".join(prefers(f"r{n}", "rag", f"labelled_examples > {n}") for n in range(9))
    text = HEAD + "preference:\n" + rules + TAIL
    whole, part = parse_policy(text, file="p"), parse_policy(text, file="p", work=60)
    assert [w.key for w in whole.warnings] == [f"preference[{n}]" for n in range(1, 9)]
    assert "checks were not completed" in part.warnings[-1].reason
    assert set(part.warnings[:-1]) < set(whole.warnings)
    (said,) = parse_policy(text, file="p", work=0).warnings
    assert str(said).startswith("p, line 1: ")
    assert "checks were not completed" in said.reason


def test_one_hard_question_does_not_leave_the_others_open() -> None:
    wide = ", ".join(["{any: [asks_fact, chitchat]}"] * 12)
    rules = prefers("wide", "rag", f"{{all: [{wide}]}}") + prefers(
        "dead", "rag", "question_chars < 0"
    )
    with pytest.raises(InvalidPolicy, match="can never be true"):
        parse_policy(HEAD + "preference:\n" + rules + TAIL, file="p", work=200)


def test_a_question_that_branches_too_deep_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.policy.solver._DEEPEST", 0)
    choice = "{any: [asks_fact, chitchat]}, {any: [follow_up, format_asked]}"
    (warning,) = load(preference=prefers("wide", "rag", f"{{all: [{choice}]}}")).warnings
    assert "checks were not completed" in warning.reason


# --- the proofs, compared with every combination of facts

LEAVES = (
    "asks_fact",
    "asks_fact == false",
    "need == 'style'",
    "need != 'style'",
    "need in ['both', 'style']",
    "labelled_examples > 2",
    "labelled_examples <= 2",
    "labelled_examples < 2 and asks_fact",
    "labelled_examples >= question_chars",
    "labelled_examples < question_chars",
    "question_chars == 2",
    "not (need == 'both' or asks_fact)",
)
TREE = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
        min_size=1,
        max_size=1,
    ),
    max_leaves=4,
)
NAMES = st.lists(st.sampled_from([s.value for s in Strategy]), min_size=1, max_size=3, unique=True)
# Every cell the leaves tell apart, and two numbers of either order in each.
GRID = [
    Facts.build(
        {"need": need, "labelled_examples": rows}, {}, {"asks_fact": asks, "question_chars": chars}
    )
    for need, rows, asks, chars in product(
        ["style", "knowledge", "both", None],
        [1, 1.5, 2, 3, 4, None],
        [True, False, None],
        [1, 1.5, 2, 3, 4, None],
    )
]


def unchecked(sections: dict[str, Any]) -> Policy:
    """Compile without the check of what it can never do."""
    because = {"zh": "因", "en": "since"}
    content = {
        "name": "random",
        **sections,
        "fallback": {"prefer": list(Strategy), "because": because},
        "settle": {"otherwise": because, "without_retrieval": because},
    }
    document = read_document(json.dumps(content), file="random")
    return compile_policy(validate_policy(document), document, version="random")


@st.composite
def some_sections(draw: st.DrawFn) -> dict[str, Any]:
    because = {"zh": "因", "en": "since"}
    sections: dict[str, Any] = {"hard": [], "preference": []}
    for number in range(draw(st.integers(1, 4))):
        section = draw(st.sampled_from(["hard", "preference"]))
        rule: dict[str, Any] = {"id": f"rule_{number}", "when": draw(TREE), "because": because}
        if draw(st.booleans()):
            rule["unless"] = draw(TREE)
        if section == "hard":
            unknown = draw(st.sampled_from(["forbid", "allow"]))
            rule |= {"forbid": draw(NAMES), "unknown": unknown}
        else:
            rule |= {"prefer": draw(NAMES)}
        sections[section].append(rule)
    return sections


def expected_faults(policy: Policy) -> set[tuple[str, str]]:
    """Return (rule, what) by trying every combination of facts."""
    decisions = [decide(facts, policy) for facts in GRID]
    truths = [{f.rule: f.truth for f in decision.findings} for decision in decisions]
    eligible = [{s for s in Strategy if not d.forbids(s)} for d in decisions]
    found: set[tuple[str, str]] = set()
    if not any(eligible):
        found.add(("hard", "stuck"))
    for each in policy.hard:
        stated = each.rule.stated
        held = [left for truth, left in zip(truths, eligible, strict=True) if truth[stated.id]]
        if not held:
            found.add((stated.id, "never"))
        elif len(stated.strategies) < len(Strategy) and not any(held) and any(eligible):
            found.add((stated.id, "contradiction"))
    for rule in policy.preference:
        stated = rule.stated
        held = [left for truth, left in zip(truths, eligible, strict=True) if truth[stated.id]]
        if not held:
            found.add((stated.id, "never"))
        elif not any(left & set(stated.strategies) for left in held):
            found.add((stated.id, "vain"))
        elif not any(d.rule == stated.id for d in decisions):
            found.add((stated.id, "shadowed"))
    return found


def named_faults(policy: Policy) -> Iterator[tuple[str, str]]:
    rules = {each.rule.where: each.rule.stated.id for each in policy.hard}
    rules |= {rule.where: rule.stated.id for rule in policy.preference}
    for fault in find_faults(policy, FACTS, EVIDENCE_FACTS):
        what = _kind(fault)
        if what:
            yield ("hard" if what == "stuck" else rules[fault.where[:2]], what)


def _kind(fault: Fault) -> str:
    for words, kind in (
        ("the rule never holds", "never"),
        ("no strategy can ever run", "stuck"),
        ("contradiction", "contradiction"),
        ("so it can never choose", "vain"),
        ("can never choose: whenever", "shadowed"),
    ):
        if words in fault.reason:
            return kind
    return ""


@settings(max_examples=times(30, 600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some_sections())
def test_every_claim_is_what_trying_all_facts_shows(sections: dict[str, Any]) -> None:
    policy = unchecked(sections)
    # A rule that never holds is never reached either; the first fault of a rule is the one told.
    expected = expected_faults(policy)
    claimed = dict(reversed(list(named_faults(policy))))
    never = {rule for rule, what in expected if what in ("never", "vain")}
    assert {(r, w) for r, w in claimed.items() if w != "shadowed" or r not in never} == expected
