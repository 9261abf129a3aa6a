"""An advice as a document: Markdown, one self-contained HTML page, or JSON.

Markdown and HTML are Jinja templates beside this file. Every value is escaped, since some are a
user's own words, and the page loads nothing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from router.advice.catalogue import section
from router.advice.content import advice_content
from router.advice.drawing import Drawing, draw_path
from router.advice.report import Advice
from router.advice.wording import number, strategy_name
from router.decision import Strategy
from router.text import Language

VERDICTS: Final = ("yes", "no", "unknown", "knowledge", "style", "both")
# What means something in Markdown, or in the HTML that Markdown allows.
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")
_BLANK_LINES: Final = re.compile(r"\n{3,}")


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
    labels = {name: each.in_language(language) for name, each in section("labels").items()}
    strategies = {s.value: strategy_name(s).in_language(language) for s in Strategy}
    if form is AdviceFormat.MD:
        page = _template("report.md.jinja").render(
            advice=content, labels=labels, strategies=strategies
        )
        return _BLANK_LINES.sub("\n\n", page)
    return _template("report.html.jinja").render(
        advice=content,
        labels=labels,
        strategies=strategies,
        verdicts={verdict: labels[verdict] for verdict in VERDICTS},
        path=_draw(content, labels, strategies),
    )


def escape_markdown(value: object) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def _draw(
    content: Mapping[str, Any], labels: Mapping[str, str], strategies: Mapping[str, str]
) -> Drawing:
    """Lay out the decision path; below each step stand the strategies that it rules out."""
    ruled_out = [
        f"✕ {labels['joiner'].join(strategies[out] for out in step['rules_out'])}"
        if step["rules_out"]
        else ""
        for step in content["steps"]
    ]
    return draw_path(
        content["steps"],
        verdicts=labels,
        ruled_out=ruled_out,
        outcome=("" if content["lang"] == Language.ZH else " ").join(
            (content["headline"], content["fine_tuning"]["statement"])
        ),
    )


def _code(value: object) -> str:
    """Return text as code; what would end it, or a table's cell, is left out."""
    plain = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`"


@functools.cache
def _template(name: str) -> Template:
    templates = Environment(
        loader=PackageLoader("router.advice", "."),
        autoescape=name.endswith(".html.jinja"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"number": number, "md": escape_markdown, "code": _code}
    return templates.get_template(name)
