"""What can go wrong in the router, all of it while facts, a policy or a classifier are being built.

    RouterError
    ├── UnknownFact              a name that is not in the table of facts
    ├── FactTypeMismatch         a value of the wrong type, or outside its allowed values
    ├── FactProvenanceMismatch   a known fact from a source that may not state it
    ├── InvalidCases             a file of policy tests that cannot be used, with file and row
    ├── ThresholdRefused         a use case declares a threshold that it cannot set
    ├── InvalidFile              a file that cannot be used, with file, line, key and reason
    │   ├── InvalidFacts         facts
    │   └── InvalidPolicy        a policy
    ├── InvalidClassifier        a file that is not, or no longer, a fitted question classifier
    └── TooFewLabelledQuestions  not enough questions of a label to fit or validate a classifier

Deciding itself raises nothing. This file knows no HTTP status.
"""

from __future__ import annotations

from typing import ClassVar


class RouterError(Exception):
    """Root of everything the router raises."""

    code: ClassVar[str] = "router_error"
    retryable: ClassVar[bool] = False
    hint: ClassVar[str] = "See router/README.md."


class UnknownFact(RouterError):
    """A fact was named that the table of facts does not hold."""

    code = "unknown_fact"
    hint = "The facts are listed in router/facts.py (FACTS)."


class FactTypeMismatch(RouterError):
    """A fact was given a value of another type, or one outside its allowed values."""

    code = "fact_type_mismatch"
    hint = "Each fact's type, unit and allowed values are in router/facts.py (FACTS)."


class FactProvenanceMismatch(RouterError):
    """A fact came from a source that may not state it, e.g. a measurement that was declared."""

    code = "fact_provenance_mismatch"
    hint = "Each fact's allowed sources are in router/facts.py (FACTS)."


class ThresholdRefused(RouterError):
    """A use case declares a threshold that it cannot set, or a value that does not fit."""

    code = "threshold_refused"
    hint = "See `fingerpost policy explain`; a use case cannot set thresholds of hard rules."


class InvalidCases(RouterError):
    """A file of policy tests cannot be read, or one of its rows is wrong."""

    code = "invalid_policy_cases"
    hint = "Correct the named row; router/policy/default_policy_cases.yaml shows every key."


class InvalidClassifier(RouterError):
    """A classifier's file is missing or damaged. Nothing was loaded."""

    code = "invalid_classifier"
    hint = "`fingerpost route fit FILE.jsonl` writes a new one; without a file the default is used."


class TooFewLabelledQuestions(RouterError):
    """There are not enough labelled questions of some class."""

    code = "too_few_labelled_questions"
    hint = "Add rows of the named label, or leave that label out altogether."


class InvalidFile(RouterError):
    """A file cannot be used, for what stands at one place of it.

    Attributes:
        file: The file, as the caller named it.
        key: Where in the file, e.g. `hard[2].when`; empty for the file as a whole.
        reason: What is wrong and what would be right.
        line: Line of the key, counted from 1, or None when no line can be named.
    """

    def __init__(self, *, file: str, key: str, reason: str, line: int | None = None) -> None:
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place}: {key}: {reason}" if key else f"{place}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason
        self.line = line


class InvalidPolicy(InvalidFile):
    """A policy cannot be used. Nothing was loaded; a policy already in force stays in force."""

    code = "invalid_policy"
    hint = "Correct the named key; router/policy/default_policy.yaml shows every section."


class InvalidFacts(InvalidFile):
    """A facts file, or facts in its shape, cannot be used."""

    code = "invalid_facts"
    hint = "Correct the named key; router/facts.py (FACTS) lists every fact with type and unit."
