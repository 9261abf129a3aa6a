"""Advice for a use case: what to build, what is missing, what it costs. Pure, like the room."""

from router.advice.case import Case, build_case, complete_case, read_case
from router.advice.content import advice_content
from router.advice.render import AdviceFormat, render_advice
from router.advice.report import Advice, advise
from router.advice.requirements import Category

__all__ = [
    "Advice",
    "AdviceFormat",
    "Case",
    "Category",
    "advice_content",
    "advise",
    "build_case",
    "complete_case",
    "read_case",
    "render_advice",
]
