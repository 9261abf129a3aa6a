"""Which strategy answers, and why: facts and a policy in, a decision with every reason out.

Pure: it reads a policy file when asked to and nothing else. It knows no database, model or HTTP.
"""

from router.cases import (
    CaseFailure,
    Cases,
    cases_file_of,
    check_cases,
    find_unexpected,
    load_cases,
    read_facts,
)
from router.config import RouterConfig
from router.decide import decide, settle
from router.decision import (
    Because,
    Decision,
    Evidence,
    Finding,
    LeafFinding,
    Outcome,
    Rejection,
    Rule,
    RuleKind,
    Settlement,
    Strategy,
    Verdict,
)
from router.difference import (
    Situation,
    diff_decisions,
    diff_rules,
    diff_thresholds,
    sample_situations,
)
from router.errors import (
    FactProvenanceMismatch,
    FactTypeMismatch,
    InvalidCases,
    InvalidPolicy,
    RouterError,
    ThresholdRefused,
    UnknownFact,
)
from router.explanation import (
    Lang,
    describe_nodes,
    describe_policy,
    find_rule,
    rules_of,
    tell_decision,
    tell_policy,
)
from router.facts import FACTS, Fact, Facts, FactSpec, FactType, FactValue, Provenance
from router.observe import Observation, observe
from router.policy import (
    DEFAULT_POLICY_FILE,
    Policy,
    PolicyWarning,
    Threshold,
    default_policy,
    load_policy,
)
from router.regret import Regret, Trial, measure_regret
from router.signals import Signals, read_signals
from router.soundness import CHECK_WORK

__all__ = [
    "CHECK_WORK",
    "DEFAULT_POLICY_FILE",
    "FACTS",
    "Because",
    "CaseFailure",
    "Cases",
    "Decision",
    "Evidence",
    "Fact",
    "FactProvenanceMismatch",
    "FactSpec",
    "FactType",
    "FactTypeMismatch",
    "FactValue",
    "Facts",
    "Finding",
    "InvalidCases",
    "InvalidPolicy",
    "Lang",
    "LeafFinding",
    "Observation",
    "Outcome",
    "Policy",
    "PolicyWarning",
    "Provenance",
    "Regret",
    "Rejection",
    "RouterConfig",
    "RouterError",
    "Rule",
    "RuleKind",
    "Settlement",
    "Signals",
    "Situation",
    "Strategy",
    "Threshold",
    "Trial",
    "ThresholdRefused",
    "UnknownFact",
    "Verdict",
    "cases_file_of",
    "check_cases",
    "decide",
    "default_policy",
    "describe_nodes",
    "describe_policy",
    "diff_decisions",
    "diff_rules",
    "diff_thresholds",
    "find_rule",
    "find_unexpected",
    "load_cases",
    "load_policy",
    "measure_regret",
    "observe",
    "read_facts",
    "read_signals",
    "rules_of",
    "sample_situations",
    "settle",
    "tell_decision",
    "tell_policy",
]
