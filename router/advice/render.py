"""An advice as a document: Markdown, one self-contained HTML page, or JSON.

The page is a Jinja template beside this file that escapes every value and loads nothing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from router.advice.content import advice_content
from router.advice.drawing import draw_path
from router.advice.labels import LABELS
from router.advice.markdown import MarkdownReport
from router.advice.report import Advice
from router.advice.wording import STRATEGIES, number
from router.text import Language

VERDICTS: Final = ("yes", "no", "unknown", "knowledge", "style", "both")


class AdviceFormat(StrEnum):
    """The forms of an advice."""

    MD = "md"
    HTML = "html"
    JSON = "json"


def render_advice(advice: Advice, language: Language, form: AdviceFormat) -> str:
    """Return the advice as text.

    Args:
        advice: The advice.
        language: Chinese or English.
        form: Markdown, HTML or JSON.

    Returns:
        A whole document that ends in a line break.
    """
    content = advice_content(advice, language)
    if form is AdviceFormat.JSON:
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    say = {key: text.zh if language is Language.ZH else text.en for key, text in LABELS.items()}
    strategies = {s.value: t.zh if language is Language.ZH else t.en for s, t in STRATEGIES.items()}
    if form is AdviceFormat.MD:
        return MarkdownReport(content, say, strategies).text()
    return _render_html(content, say, strategies)


def _render_html(
    content: Mapping[str, Any], say: Mapping[str, str], strategies: Mapping[str, str]
) -> str:
    verdicts = {verdict: say[verdict] for verdict in VERDICTS}
    fallen = [
        f"✕ {say['joiner'].join(strategies[out] for out in step['rules_out'])}"
        if step["rules_out"]
        else ""
        for step in content["steps"]
    ]
    return _page().render(
        advice=content,
        say=say,
        strategies=strategies,
        verdicts=verdicts,
        path=draw_path(
            content["steps"],
            verdicts=verdicts,
            fallen=fallen,
            outcome=f"{content['headline']} {content['fine_tuning']['statement']}",
        ),
    )


@functools.cache
def _page() -> Template:
    pages = Environment(
        loader=PackageLoader("router.advice", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    pages.filters["number"] = number
    return pages.get_template("report.html.jinja")
