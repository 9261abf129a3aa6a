"""Which strategy answers, and why: facts and a policy in, a decision with every reason out.

Pure: it reads a policy or a classifier when asked to and nothing else. It knows no database,
model or HTTP.
"""

from router.classifier import (
    Classifier,
    Guess,
    QuestionClass,
    default_classifier,
    load_classifier,
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
    InvalidClassifier,
    InvalidPolicy,
    RouterError,
    TooFewLabelledQuestions,
    UnknownFact,
)
from router.facts import FACTS, Fact, Facts, FactSpec, FactType, FactValue, Provenance
from router.fitting import Fitted, baseline, fit
from router.policy import Policy, Threshold, default_policy, load_policy
from router.quality import LabelledQuestion, Quality, judge
from router.signals import Signals, read_signals

__all__ = [
    "FACTS",
    "Because",
    "Classifier",
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
    "Fitted",
    "Guess",
    "InvalidClassifier",
    "InvalidPolicy",
    "LabelledQuestion",
    "LeafFinding",
    "Outcome",
    "Policy",
    "Provenance",
    "Quality",
    "QuestionClass",
    "Rejection",
    "RouterConfig",
    "RouterError",
    "Rule",
    "RuleKind",
    "Settlement",
    "Signals",
    "Strategy",
    "Threshold",
    "TooFewLabelledQuestions",
    "UnknownFact",
    "Verdict",
    "baseline",
    "decide",
    "default_classifier",
    "default_policy",
    "fit",
    "judge",
    "load_classifier",
    "load_policy",
    "read_signals",
    "settle",
]
