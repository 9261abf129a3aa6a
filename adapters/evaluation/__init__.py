"""Is an adapter better than its base model, and may it serve?

Importing this loads no torch; only the file the child process runs does.
"""

from adapters.evaluation.gate import GatePolicy, GuardScore, Judgement, Verdict, load_gate_policy
from adapters.evaluation.linear_probe import LinearProbe, probe_rows
from adapters.evaluation.perplexity import measure_perplexities
from adapters.evaluation.result import Evaluation
from adapters.evaluation.run import FEW_SHOT, EvaluationEvent, evaluate_adapter, read_evaluation
from adapters.evaluation.samples import held_out_rows
from adapters.evaluation.statistics import Score

__all__ = [
    "FEW_SHOT",
    "Evaluation",
    "EvaluationEvent",
    "GatePolicy",
    "GuardScore",
    "Judgement",
    "LinearProbe",
    "Score",
    "Verdict",
    "evaluate_adapter",
    "held_out_rows",
    "load_gate_policy",
    "measure_perplexities",
    "probe_rows",
    "read_evaluation",
]
