"""One case to advise on: facts as a team writes them down, in YAML or as JSON.

It knows the shape of a facts file and refuses unknown names and bad values, with file, line and
key. It does not know what follows from a fact.

    need: both                       # every declared fact by its name
    labelled_examples: 1200
    categories:                      # optional: rows of each kind, with or without expected share
      after-sales: 200
      billing: {rows: 1000, share: 0.6}
    measured:                        # optional: what a compare or an engine showed
      rag_score: 0.62
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from router.advice.estimates import POSITIVE
from router.advice.requirements import Category, derive_quality
from router.errors import InvalidFacts, InvalidPolicy, RouterError
from router.facts import FACTS, Facts, Provenance
from router.policy.document import PolicyDocument, read_document
from router.strategy import Strategy

MeasuredBy = Literal["house", "caller"]

_SECTIONS: Final = ("categories", "measured")
_MOST_CATEGORIES: Final = 200
_MOST_NAME_CHARS: Final = 80
_MOST_TEXT_CHARS: Final = 500
_MOST_ROWS: Final = 10**12
# No answer takes no time or has no tokens: a 0 stands for a figure that is not known.
_NEVER_ZERO: Final = frozenset(
    (
        "latency_budget_ms",
        *(f"{strategy}_{name}" for strategy in Strategy for name in ("p50_ms", "p95_ms", "tokens")),
    )
)
# Pairs of figures of which the first is never above the second.
_ORDERED: Final = (
    ("context_bearing_examples", "labelled_examples"),
    *(
        pair
        for strategy in Strategy
        for pair in (
            (f"{strategy}_score_low", f"{strategy}_score"),
            (f"{strategy}_score", f"{strategy}_score_high"),
            (f"{strategy}_score_low", f"{strategy}_score_high"),
            (f"{strategy}_p50_ms", f"{strategy}_p95_ms"),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be advised on. Make it with `read_case`, `build_case` or from facts.

    Attributes:
        facts: Everything known; a missing fact is unknown.
        categories: Rows of each kind, where declared.
        measured_by: Who measured the measured facts: this service (`house`), or the caller.
        derived: Facts that follow from others that were declared, e.g. `data_quality`.
    """

    facts: Facts
    categories: tuple[Category, ...] = ()
    measured_by: MeasuredBy = "house"
    derived: tuple[str, ...] = ()


def read_case(path: Path) -> Case:
    """Read a facts file.

    Args:
        path: A UTF-8 YAML file; an empty one means that nothing is known.

    Returns:
        The case.

    Raises:
        InvalidFacts: It cannot be read, names something unknown, or a value does not fit; file,
            line, key and reason are named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = read_document(text, file=str(path))
    except InvalidPolicy as exc:
        raise InvalidFacts(file=exc.file, key=exc.key, reason=exc.reason, line=exc.line) from exc
    except (OSError, ValueError) as exc:
        raise InvalidFacts(file=str(path), key="", reason=f"cannot be read: {exc}") from exc
    return _build(document)


def build_case(content: Mapping[str, object], *, name: str = "facts") -> Case:
    """Return the case that `content` describes, in the shape of a facts file.

    Args:
        content: Keys and values, e.g. from JSON.
        name: What to call it in errors.

    Raises:
        InvalidFacts: See `read_case`; no line is named.
    """
    return _build(PolicyDocument(file=name, content=dict(content), lines={}))


def complete_case(
    facts: Facts, *, categories: tuple[Category, ...] = (), measured_by: MeasuredBy = "house"
) -> Case:
    """Return the case of these facts, with what follows from them.

    The number of labelled rows follows from categories, the verdict of the five checks from what
    the checks counted. A fact that is stated is never replaced.
    """
    values, provenances = dict(facts.values), dict(facts.provenances)
    derived: dict[str, str | int] = {}
    if categories and "labelled_examples" not in facts:
        derived["labelled_examples"] = sum(category.rows for category in categories)
    quality = derive_quality(facts)
    if quality is not None and "data_quality" not in facts:
        derived["data_quality"] = quality
    for name, value in derived.items():
        values[name], provenances[name] = value, Provenance.DECLARED
    return Case(Facts(values, provenances), categories, measured_by, tuple(derived))


def _build(document: PolicyDocument) -> Case:
    content = {} if document.content is None else document.content
    if not isinstance(content, dict):
        raise _fault(document, (), f"must hold facts and values, not a {_kind(content)}")
    declared = {name: value for name, value in content.items() if name not in _SECTIONS}
    measured = _given(content, "measured")
    if not isinstance(measured, dict):
        raise _fault(
            document, ("measured",), f"must hold facts and values, not a {_kind(measured)}"
        )
    for section, stated in (((), declared), (("measured",), measured)):
        for name, value in stated.items():
            _check(
                document,
                (*section, name),
                Provenance.MEASURED if section else Provenance.DECLARED,
                value,
            )
    facts = Facts.build(declared=declared, measured=measured)
    categories = _categories(document, _given(content, "categories"))
    case = complete_case(facts, categories=categories, measured_by="caller")
    _refuse_more_than_all(document, case)
    _refuse_wrong_order(document, facts)
    return case


def _given(content: Mapping[str, object], section: str) -> object:
    """Return what stands in a section; one that is left empty holds nothing."""
    stated = content.get(section)
    return {} if stated is None else stated


def _check(
    document: PolicyDocument, place: tuple[str, ...], provenance: Provenance, value: object
) -> None:
    """Refuse a name or value that cannot be meant, saying where it stands."""
    name = place[-1]
    spec = FACTS.get(name)
    if spec is None:
        raise _fault(document, place, f"there is no such fact{_nearest(name, provenance)}")
    if provenance not in spec.provenances:
        raise _fault(document, place, _misplaced(name))
    try:
        Facts.build(**{provenance.value: {name: value}})
    except RouterError as exc:
        raise _fault(document, place, str(exc)) from exc
    if isinstance(value, str):
        _check_text(document, place, value)
    if (name in POSITIVE or name in _NEVER_ZERO) and value == 0:
        raise _fault(document, place, "must be above 0; leave it out if it is unknown")
    if spec.unit == "rows" and isinstance(value, float) and not value.is_integer():
        raise _fault(document, place, f"must be a whole number of rows, not {value!r:.40}")
    if spec.unit == "rows" and isinstance(value, int | float) and value > _MOST_ROWS:
        raise _fault(document, place, f"must be at most {_MOST_ROWS:,} rows, not {value!r:.40}")
    if spec.unit == "percent" and isinstance(value, int | float) and value > 100:
        raise _fault(document, place, f"must be a share in percent, at most 100, not {value!r:.40}")


def _check_text(document: PolicyDocument, place: tuple[str, ...], value: str) -> None:
    if not value.strip():
        raise _fault(document, place, "must not be empty; leave it out if it is unknown")
    if len(value) > _MOST_TEXT_CHARS:
        raise _fault(document, place, f"must have at most {_MOST_TEXT_CHARS} characters")
    if not _is_unicode(value):
        raise _fault(document, place, "is not valid Unicode: it holds half of a surrogate pair")


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _misplaced(name: str) -> str:
    allowed = FACTS[name].provenances
    if Provenance.MEASURED in allowed:
        return "is measured, not declared; put it below `measured:`"
    if Provenance.DECLARED in allowed:
        return "is declared, not measured; put it at the top level"
    return "is read from each request and cannot be stated for a use case"


def _nearest(name: str, provenance: Provenance) -> str:
    allowed = [fact for fact, spec in FACTS.items() if provenance in spec.provenances]
    if provenance is Provenance.DECLARED:
        allowed += _SECTIONS
    near = difflib.get_close_matches(name, allowed, n=1) or difflib.get_close_matches(
        name, FACTS, n=1
    )
    return f"; did you mean {near[0]!r}?" if near else "; router/facts.py lists them (FACTS)"


def _categories(document: PolicyDocument, stated: object) -> tuple[Category, ...]:
    if not isinstance(stated, dict):
        raise _fault(document, ("categories",), f"must hold names and rows, not a {_kind(stated)}")
    if len(stated) > _MOST_CATEGORIES:
        raise _fault(document, ("categories",), f"has more than {_MOST_CATEGORIES} names")
    categories = tuple(_category(document, name, value) for name, value in stated.items())
    shares = [category.share for category in categories if category.share is not None]
    if shares and len(shares) < len(categories):
        bare = next(category.name for category in categories if category.share is None)
        raise _fault(
            document, ("categories", bare), "has no share, but others do; give all or none"
        )
    if shares and not math.isclose(sum(shares), 1, abs_tol=0.01):
        raise _fault(document, ("categories",), f"the shares must sum to 1, not {sum(shares):g}")
    return categories


def _category(document: PolicyDocument, name: object, value: object) -> Category:
    place = ("categories", str(name))
    rows, share = value, None
    if isinstance(value, dict):
        unknown = sorted(set(map(str, value)) - {"rows", "share"})
        if unknown:
            raise _fault(document, (*place, unknown[0]), "is not one of rows, share")
        rows, share = value.get("rows"), value.get("share")
    if not _is_unicode(str(name)):
        raise _fault(document, ("categories",), "a name is not valid Unicode")
    if not str(name).strip() or len(str(name)) > _MOST_NAME_CHARS:
        raise _fault(document, place, f"a name has 1 to {_MOST_NAME_CHARS} characters")
    if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= _MOST_ROWS:
        raise _fault(document, place, f"must be a whole number of rows, not {rows!r:.40}")
    if share is not None and (
        isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1
    ):
        raise _fault(document, (*place, "share"), f"must be above 0, up to 1, not {share!r:.40}")
    return Category(str(name), rows, None if share is None else float(share))


def _refuse_more_than_all(document: PolicyDocument, case: Case) -> None:
    inside = sum(category.rows for category in case.categories)
    rows = case.facts.get("labelled_examples")
    if isinstance(rows, int | float) and inside > rows:
        reason = f"hold {inside} rows together, more than labelled_examples ({rows:g})"
        raise _fault(document, ("categories",), reason)


def _refuse_wrong_order(document: PolicyDocument, facts: Facts) -> None:
    """Refuse a figure that must not be above another and is."""
    for less, more in _ORDERED:
        low, high = facts.get(less), facts.get(more)
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            measured = facts.provenances[less] is Provenance.MEASURED
            place = ("measured", less) if measured else (less,)
            reason = f"must not be above {more} ({_short(high)}), but is {_short(low)}"
            raise _fault(document, place, reason)


def _fault(document: PolicyDocument, place: tuple[str, ...], reason: str) -> InvalidFacts:
    fault = document.fault(place, reason)
    return InvalidFacts(file=fault.file, key=fault.key, reason=reason, line=fault.line)


def _short(value: float) -> str:
    return f"{value!r:.40}"


def _kind(value: object) -> str:
    """Return what a value is, in the words of YAML and JSON."""
    if value is None or isinstance(value, bool):
        return "single value"
    names = {str: "text", list: "list", dict: "map", int: "number", float: "number"}
    return names.get(type(value), "single value")
