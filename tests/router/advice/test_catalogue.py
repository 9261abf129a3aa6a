"""Every text that the advice uses is in the catalogue, in both languages, and no other one is."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import get_args

import pytest

from router import FACTS, Strategy, default_policy
from router.advice import comparison, estimates, flow
from router.advice.catalogue import (
    CATALOGUE_FILE,
    join,
    load_catalogue,
    parse_catalogue,
    section,
    text,
)
from router.advice.plan import FineTuning
from router.advice.render import VERDICTS
from router.advice.wording import Mark
from router.policy.document import read_document
from router.text import Text

FOLDER = CATALOGUE_FILE.parent
FIGURES = {
    name.removeprefix(f"{strategy}_")
    for strategy in Strategy
    for name in FACTS
    if name.startswith(f"{strategy}_")
}
UNITS = {spec.unit for spec in FACTS.values() if spec.unit}
# Names that are put together in the code, and everything that they may become.
FAMILIES: dict[str, Iterable[str]] = {
    "comparison.data.{end}": ("enough", "enough_but"),
    "comparison.dimensions.{id_}": comparison._CELLS,
    "comparison.privacy.{strategy}": Strategy,
    "comparison.scenario.{strategy}": Strategy,
    "estimates.formulas.{id_}.formula": estimates.FORMULAS,
    "estimates.formulas.{id_}.source": estimates.FORMULAS,
    "estimates.sources.{source}": {source for _, source in estimates.DEFAULTS.values()},
    "facts.{name}": [
        name for name in FACTS if not name.startswith(tuple(f"{s}_" for s in Strategy))
    ],
    "fine_tuning.{plan.fine_tuning}": get_args(FineTuning),
    "flow.data.checks_{quality}": FACTS["data_quality"].choices,
    "flow.latency.{end}": ("met", "missed"),
    "flow.need.{need}": flow._NEEDS,
    "flow.questions.{id_}": flow._ASKED,
    "lists.{separator}": ("and", "comma", "semicolon", "then"),
    "marks.{mark}": Mark,
    "outcomes.{figure}": FIGURES,
    "strategies.{strategy}": Strategy,
    "units.{unit}": UNITS,
    "values.{value}": {choice for spec in FACTS.values() for choice in spec.choices},
}


def modules() -> Iterator[ast.Module]:
    for path in sorted(FOLDER.rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def is_name(value: str) -> bool:
    return re.match(r"[a-z_]+\.[a-z_{]", value) is not None and value.split(".")[0] in SECTIONS


SECTIONS = {name.split(".")[0] for name in load_catalogue()}


def literals() -> set[str]:
    """Return the names of texts that stand in the code as they are."""
    return {
        node.value
        for module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_name(node.value)
        if " " not in node.value
    }


def families() -> set[str]:
    """Return the names of texts that are put together, as the code writes them."""
    written = {
        ast.unparse(node)[2:-1]
        for module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.JoinedStr)
    }
    return {name for name in written if is_name(name)}


def labels() -> set[str]:
    """Return the labels that the templates and their renderer name."""
    pages = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.jinja")]
    pages.append((FOLDER / "render.py").read_text(encoding="utf-8"))
    named = {name for page in pages for name in re.findall(r"\blabels\.(\w+)", page)}
    named |= {name for page in pages for name in re.findall(r"\blabels\[['\"](\w+)", page)}
    return (named | set(VERDICTS)) - {"items"}


def asked_for() -> set[str]:
    filled = {
        re.sub(r"\{[^}]+\}", str(value), name)
        for name, values in FAMILIES.items()
        for value in values
    }
    sources = {f"threshold_sources.{name}" for name in default_policy().thresholds}
    placed = {name for name in literals() if name not in FAMILIES and "{" not in name}
    return placed | filled | sources | {f"labels.{name}" for name in labels()}


def test_every_name_that_is_put_together_is_listed_here() -> None:
    assert families() == FAMILIES.keys()


def test_no_text_is_missing() -> None:
    prefixes = {name.partition("{")[0] for name in FAMILIES}
    assert sorted(asked_for() - load_catalogue().keys() - prefixes) == []


def test_no_text_is_unused() -> None:
    assert sorted(load_catalogue().keys() - asked_for()) == []


def test_the_sources_of_the_default_thresholds_are_translated() -> None:
    for name, threshold in default_policy().thresholds.items():
        assert text(f"threshold_sources.{name}").en == threshold.source


def test_no_name_stands_twice_in_the_file() -> None:
    read_document(CATALOGUE_FILE.read_text(encoding="utf-8"), file=CATALOGUE_FILE.name)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("a: {b: {zh: 好}}", "a.b: needs a text"),
        ("a: {b: {zh: 好, en: ''}}", "a.b: needs a text"),
        ("a: {b: {zh: 好, en: 3}}", "a.b: needs a text"),
        ("a: {b: {zh: 好, en: good, fr: bon}}", "a.b: needs a text"),
        ("a: {b: good}", "a.b: must be a section"),
        ("a: {}", "a: must be a section"),
        ("", "the catalogue: must be a section"),
        ("a: {b: {zh: '{n} 条', en: rows}}", "a.b: zh and en have different placeholders"),
    ],
)
def test_a_damaged_catalogue_is_refused_with_the_name(content: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(named)}"):
        parse_catalogue(content)


def test_a_text_is_filled_in_language_by_language() -> None:
    rate = Text(zh="3 次/周", en="3 a week")
    filled = text("comparison.update_cost.documents_rate", rate=rate)
    assert filled.zh.startswith("变更 3 次/周：")
    assert filled.en.startswith("3 a week: ")


def test_what_is_filled_in_is_not_read_as_a_placeholder() -> None:
    said = text("risks.domain_word", domain="{meant}", meant="legal")
    assert '"{meant}"' in said.en


def test_an_unknown_text_or_a_missing_value_raises() -> None:
    for name, values in (("risks.none", {}), ("risks.domain_word", {"domain": "x"})):
        with pytest.raises(KeyError):
            text(name, **values)


def test_texts_are_joined_in_each_language() -> None:
    assert join([Text("甲", "a"), Text("乙", "b")], "and") == Text("甲、乙", "a and b")
    assert section("lists")["comma"] == Text("、", ", ")
