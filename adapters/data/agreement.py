"""Do the labels agree? The same question with different answers is a disagreement.

Only answers that are labels can disagree: few, short and repeated, or JSON. Two free texts that
differ may both be right, and a person must say so. It knows rows, not annotators.
"""

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

from adapters.data.findings import Check, Evidence, Status, first, percent, show
from adapters.data.personal import mask_personal_data
from adapters.data.readiness.disputes import describe_disputes
from adapters.data.rows import Row

NEEDED_PERCENT = 5.0  # seeds of the project: fewer than one in twenty
MIN_REPEATED = 20  # below it one disagreement alone is 5 % or more of them
MAX_LABEL_CHARS = 40
ROWS_PER_LABEL = 4  # at least so many rows for each distinct answer: else they are not labels
_LABEL_EDGES = " \t\r\n.。!！\"'“”‘’"
_QUESTION_EDGES = _LABEL_EDGES + "?？,，~～…"


def are_labels(answers: Sequence[str]) -> bool:
    """Return whether these answers are labels: short, and each of a few said many times."""
    different = len(set(answers))
    is_short = all(len(answer) <= MAX_LABEL_CHARS for answer in answers)
    return is_short and different > 1 and len(answers) >= ROWS_PER_LABEL * different


def key_of(row: Row) -> str:
    """Return what is asked, as repeated questions are recognised: NFKC, case and edges away."""
    turns = [f"{m.role}: {_plain(m.content, _QUESTION_EDGES)}" for m in row.messages[:-1]]
    return "\n".join(turns)


def answer_of(row: Row) -> str:
    """Return the last answer as answers are compared; JSON by its value."""
    content = row.messages[-1].content
    if (value := _read_json(content)) is not None:
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return _plain(content, _LABEL_EDGES)


def have_labels(rows: Sequence[Row]) -> bool:
    """Return whether the answers of these rows can disagree: labels, or JSON all of them."""
    return are_labels([answer_of(row) for row in rows]) or all(
        _read_json(row.messages[-1].content) is not None for row in rows
    )


def check_agreement(rows: Sequence[Row], declared: float | None = None) -> Check:
    """Judge the share of rows on which two labels of the same question differ.

    Where at least `MIN_REPEATED` questions are labelled more than once, the share is taken of
    their rows. Below that it is taken of all rows, which is the least it can be: it can fail, but
    not pass.

    Args:
        rows: At least one.
        declared: The share in percent on which two people differed; taken where the answers are
            free text, which only people can compare.
    """
    if not have_labels(rows):
        if declared is not None:
            return _declared(declared)
        return _unknown(
            "the answers are free text; let two people judge the same 100 rows and declare "
            "label_disagreement_percent"
        )
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key_of(row)].append(row)
    repeated = [group for group in groups.values() if len(group) > 1]
    differing = sum(len(group) * _disagreement(group) for group in repeated)
    is_enough = len(repeated) >= MIN_REPEATED
    value = percent(differing, sum(map(len, repeated)) if is_enough else len(rows))
    status: Status = "fail" if value >= NEEDED_PERCENT else "pass" if is_enough else "unknown"
    disputed = [group for group in repeated if _disagreement(group) > 0]
    concerned = sum(map(len, disputed))
    if status == "unknown":
        missing: str | None = (
            f"{len(repeated)} questions are labelled more than once; at least {MIN_REPEATED} "
            "are needed: let two people label the same 100 rows"
        )
    else:
        missing = (
            f"agree on a definition for each pair of `disputed_labels`, then correct the "
            f"labels of {concerned} rows"
            if status == "fail"
            else None
        )
    return Check(
        "agreement",
        status,
        value if is_enough or status == "fail" else None,
        "percent",
        _NEEDED,
        missing=missing,
        found=concerned,
        evidence=first(_dispute(row, group) for group in disputed for row in group),
        details={
            "questions_repeated": len(repeated),
            "questions_disputed": len(disputed),
            "disputed_labels": describe_disputes(
                [[(row, answer_of(row)) for row in group] for group in disputed]
            ),
        },
    )


_NEEDED = f"fewer than {NEEDED_PERCENT:g} % of the rows with different labels for the same question"


def _unknown(missing: str) -> Check:
    return Check("agreement", "unknown", None, "percent", _NEEDED, missing=missing)


def _declared(value: float) -> Check:
    fails = value >= NEEDED_PERCENT
    return Check(
        "agreement",
        "fail" if fails else "pass",
        value,
        "percent",
        _NEEDED,
        missing="agree on what a right answer is, then correct the rows" if fails else None,
        details={"declared": True},
    )


def _disagreement(group: Sequence[Row]) -> float:
    """Return how likely two rows of a group have different answers, 0 to 1."""
    counts = Counter(answer_of(row) for row in group)
    pairs = len(group) * (len(group) - 1)
    return 1 - sum(count * (count - 1) for count in counts.values()) / pairs


def _dispute(row: Row, group: Sequence[Row]) -> Evidence:
    own = answer_of(row)
    other = next(each for each in group if answer_of(each) != own)
    said, against = (
        mask_personal_data(each.messages[-1].content)[:MAX_LABEL_CHARS] for each in (row, other)
    )
    return show(row, f"answered “{said}”, line {other.line} says “{against}”")


def _plain(text: str, edges: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(edges)


def _read_json(text: str) -> object | None:
    """Return a JSON object or list; None for anything else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)  # type: ignore[no-any-return]  # any JSON value is an object
    except (ValueError, RecursionError):
        return None
