"""Which strategy answers, and why: facts and a policy in, a decision with every reason out.

Pure: it reads a policy or a classifier when asked to and nothing else. It knows no database,
model or HTTP.
"""

from router.advice import (
    Advice,
    AdviceFormat,
    Case,
    Category,
    advice_content,
    advise,
    build_case,
    complete_case,
    read_case,
    render_advice,
)
from router.classes import ErrandKind, MessageKind, NoSource, QuestionClass
from router.config import RouterConfig
from router.decide import decide, settle
from router.decision import (
    Abstention,
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
    InvalidCases,
    InvalidClassifier,
    InvalidFacts,
    InvalidPolicy,
    RouterError,
    ThresholdRefused,
    TooFewLabelledQuestions,
    UnknownFact,
)
from router.facts import (
    FACTS,
    Fact,
    Facts,
    FactSpec,
    FactType,
    FactValue,
    Provenance,
)
from router.policy.checks import CHECK_WORK
from router.policy.loading import (
    DEFAULT_POLICY_FILE,
    Policy,
    Threshold,
    default_policy,
    load_policy,
)
from router.policy.rules import PolicyWarning
from router.questions.classifier import (
    Classifier,
    Guess,
    default_classifier,
    load_classifier,
)
from router.questions.fitting import Fitted, baseline, fit
from router.questions.kinds.classifier import (
    KindClassifier,
    KindGuess,
    kind_classifier_for,
    load_kind_classifier,
    write_kind_classifier,
)
from router.questions.kinds.effect import with_kind
from router.questions.kinds.fitting import LabelledMessage, fit_kinds
from router.questions.kinds.messages import as_messages, labelled_messages
from router.questions.quality import LabelledQuestion, Quality, measure_quality
from router.questions.signals import Signals, read_signals
from router.review.cases import (
    CaseFailure,
    Cases,
    cases_file_of,
    check_cases,
    find_unexpected,
    load_cases,
    read_facts,
)
from router.review.difference import (
    Situation,
    diff_decisions,
    diff_rules,
    diff_thresholds,
    sample_situations,
)
from router.review.explanation import (
    describe_policy,
    explain_decision,
    explain_policy,
    find_rule,
    rules_of,
)
from router.review.regret import Regret, Trial, measure_regret
from router.review.shadow import ShadowComparison, compare_with_shadow
from router.text import Language, Text

__all__ = [
    "CHECK_WORK",
    "DEFAULT_POLICY_FILE",
    "FACTS",
    "Abstention",
    "Advice",
    "AdviceFormat",
    "Case",
    "CaseFailure",
    "Cases",
    "Category",
    "Classifier",
    "Decision",
    "ErrandKind",
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
    "InvalidCases",
    "InvalidClassifier",
    "InvalidFacts",
    "InvalidPolicy",
    "KindClassifier",
    "KindGuess",
    "LabelledMessage",
    "LabelledQuestion",
    "Language",
    "LeafFinding",
    "MessageKind",
    "NoSource",
    "Outcome",
    "Policy",
    "PolicyWarning",
    "Provenance",
    "Quality",
    "QuestionClass",
    "Regret",
    "Rejection",
    "RouterConfig",
    "RouterError",
    "Rule",
    "RuleKind",
    "Settlement",
    "ShadowComparison",
    "Signals",
    "Situation",
    "Strategy",
    "Text",
    "Threshold",
    "ThresholdRefused",
    "TooFewLabelledQuestions",
    "Trial",
    "UnknownFact",
    "Verdict",
    "advice_content",
    "advise",
    "as_messages",
    "baseline",
    "build_case",
    "cases_file_of",
    "check_cases",
    "compare_with_shadow",
    "complete_case",
    "decide",
    "default_classifier",
    "default_policy",
    "describe_policy",
    "diff_decisions",
    "diff_rules",
    "diff_thresholds",
    "explain_decision",
    "explain_policy",
    "find_rule",
    "find_unexpected",
    "fit",
    "fit_kinds",
    "kind_classifier_for",
    "labelled_messages",
    "load_cases",
    "load_classifier",
    "load_kind_classifier",
    "load_policy",
    "measure_quality",
    "measure_regret",
    "read_case",
    "read_facts",
    "read_signals",
    "render_advice",
    "rules_of",
    "sample_situations",
    "settle",
    "with_kind",
    "write_kind_classifier",
]
