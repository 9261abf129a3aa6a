"""Which strategy answers a team's own questions best? Asked, scored and summed up."""

from service.compare.questions import COMPARED, Kind, SetQuestion, StrategyName, parse_set
from service.compare.run import run_comparison
from service.compare.scoring import score_answer
from service.compare.summary import summarise

__all__ = [
    "COMPARED",
    "Kind",
    "SetQuestion",
    "StrategyName",
    "parse_set",
    "run_comparison",
    "score_answer",
    "summarise",
]
