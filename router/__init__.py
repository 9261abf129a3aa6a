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
    UnknownFact,
)
from router.facts import FACTS, Fact, Facts, FactSpec, FactType, FactValue, Provenance
from router.observe import Observation, observe
from router.policy import Policy, Threshold, default_policy, load_policy
from router.regret import Regret, Trial, measure_regret
from router.signals import Signals, read_signals

__all__ = [
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
    "Observation",
    "Outcome",
    "Policy",
    "Provenance",
    "Regret",
    "Rejection",
    "RouterConfig",
    "RouterError",
    "Rule",
    "RuleKind",
    "Settlement",
    "Signals",
    "Strategy",
    "Threshold",
    "Trial",
    "UnknownFact",
    "Verdict",
    "decide",
    "default_policy",
    "load_policy",
    "measure_regret",
    "observe",
    "read_signals",
    "settle",
]
