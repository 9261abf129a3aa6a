"""Which strategy answers, and why: facts and a policy in, a decision with every reason out.

Pure: it reads a policy file when asked to and nothing else. It knows no database, model or HTTP.
"""

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
from router.errors import (
    FactProvenanceMismatch,
    FactTypeMismatch,
    InvalidPolicy,
    RouterError,
    ThresholdRefused,
    UnknownFact,
)
from router.facts import FACTS, Fact, Facts, FactSpec, FactType, FactValue, Provenance
from router.policy import (
    DEFAULT_POLICY_FILE,
    Policy,
    PolicyWarning,
    Threshold,
    default_policy,
    load_policy,
)
from router.signals import Signals, read_signals

__all__ = [
    "DEFAULT_POLICY_FILE",
    "FACTS",
    "Because",
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
    "InvalidPolicy",
    "LeafFinding",
    "Outcome",
    "Policy",
    "PolicyWarning",
    "Provenance",
    "Rejection",
    "RouterConfig",
    "RouterError",
    "Rule",
    "RuleKind",
    "Settlement",
    "Signals",
    "Strategy",
    "Threshold",
    "ThresholdRefused",
    "UnknownFact",
    "Verdict",
    "decide",
    "default_policy",
    "load_policy",
    "read_signals",
    "settle",
]
