"""Comparison of the strategies on a team's own questions: asking, scoring, summary, regret."""

from service.compare.outcome import ChatAnswer, Outcome
from service.compare.outcomes import Outcomes, parse_outcomes, read_lines
from service.compare.questions import COMPARED, Kind, SetQuestion, StrategyName, parse_set
from service.compare.regret import regret_of
from service.compare.run import run_comparison
from service.compare.scoring import score_answer
from service.compare.summary import Summary, summarise
from service.compare.winner import Winner, WinnerReason, because_of

__all__ = [
    "COMPARED",
    "ChatAnswer",
    "Kind",
    "Outcome",
    "Outcomes",
    "SetQuestion",
    "StrategyName",
    "Summary",
    "Winner",
    "WinnerReason",
    "because_of",
    "parse_outcomes",
    "parse_set",
    "read_lines",
    "regret_of",
    "run_comparison",
    "score_answer",
    "summarise",
]
