"""The name of a task, where nothing but a file's name tells what its rows teach.

It knows names alone; what a task is stands in `adapters`.
"""

import re
import unicodedata
from pathlib import Path

from adapters import InvalidTrainingConfig

MOST_TASK_CHARS = 48


def task_from(filename: str) -> str:
    """Return the task that a file's name gives: lower-case letters, digits and hyphens.

    Raises:
        InvalidTrainingConfig: It has letters of another script, which no adapter's id can carry;
            two such files would become one task.
    """
    stem = unicodedata.normalize("NFKD", Path(filename).stem)
    plain = "".join(letter for letter in stem if not unicodedata.combining(letter))
    task = slug(plain)
    if not task or any(letter.isalpha() and not letter.isascii() for letter in plain):
        raise InvalidTrainingConfig(
            f"the file name {filename!r} gives no task name: name the task yourself, in lower-case "
            "letters, digits and hyphens (`suffix` of the request, `task` in a configuration)",
            key="suffix",
        )
    return task


def slug(text: str) -> str:
    """Return a text as a task name, without what such a name cannot hold; may be empty."""
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return kept[:MOST_TASK_CHARS].strip("-")
