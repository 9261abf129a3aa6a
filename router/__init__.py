"""Which strategy answers, and why: facts and a policy in, a decision with every reason out.

Pure: it reads a policy file when asked to and nothing else. It knows no database, model or HTTP.
"""

from router.advice import (
    Advice,
    AdviceFormat,
    Case,
    Language,
    advice_content,
    advise,
    build_case,
    complete_case,
    read_case,
    render_advice,
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
from router.errors import (
    FactProvenanceMismatch,
    FactTypeMismatch,
    InvalidFacts,
    InvalidPolicy,
    RouterError,
    UnknownFact,
)
from router.facts import FACTS, Fact, Facts, FactSpec, FactType, FactValue, Provenance
from router.policy import Policy, Threshold, default_policy, load_policy
from router.signals import Signals, read_signals

__all__ = [
    "Advice",
    "AdviceFormat",
    "Because",
    "Case",
    "Decision",
    "Evidence",
    "FACTS",
    "Fact",
    "FactProvenanceMismatch",
    "FactSpec",
    "FactType",
    "FactTypeMismatch",
    "FactValue",
    "Facts",
    "Finding",
    "InvalidFacts",
    "InvalidPolicy",
    "Language",
    "LeafFinding",
    "Outcome",
    "Policy",
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
    "UnknownFact",
    "Verdict",
    "advice_content",
    "advise",
    "build_case",
    "complete_case",
    "decide",
    "default_policy",
    "load_policy",
    "read_case",
    "read_signals",
    "render_advice",
    "settle",
]
