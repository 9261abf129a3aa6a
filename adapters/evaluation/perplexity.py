"""The perplexities of texts, measured by a base model in a child process.

The parent's side, which loads no torch. Knows texts; knows neither rows nor thresholds.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.base_models import ModelFolder
from adapters.children import Task
from adapters.config import AdaptersConfig
from adapters.evaluation.run import OnProgress, ask_child

WORK_PREFIX = ".perplexity-"
# A row's first 256 tokens tell what it is (own choice); on a CPU more cost minutes.
MOST_TOKENS = 256
MOST_EXAMPLE_TOKENS = 256


def measure_perplexities(
    texts: Sequence[str],
    examples: Sequence[str],
    *,
    base: ModelFolder,
    environment: Mapping[str, str],
    settings: AdaptersConfig,
    on_progress: OnProgress,
) -> list[float | None]:
    """Return the perplexity of each text, in their order; None for a text without tokens.

    Args:
        texts: Their first `MOST_TOKENS` tokens count.
        examples: Texts that stand before each of them and are not counted.
        base: The base model.
        environment: Of the child process.
        settings: Threads and priority.
        on_progress: Told how far it is.

    Raises:
        EvaluationFailed: The child ended without an answer.
    """
    job = {
        "base": str(base.folder),
        "texts": list(texts),
        "examples": list(examples),
        "most_tokens": MOST_TOKENS,
        "most_example_tokens": MOST_EXAMPLE_TOKENS,
    }
    with tempfile.TemporaryDirectory(prefix=WORK_PREFIX) as work:
        call = "adapters.evaluation.process.perplexity:measure_perplexities"
        found: list[float | None] = ask_child(
            Task.in_folder(Path(work), call, job),
            environment=environment,
            limits=settings,
            on_progress=on_progress,
            cancelled=lambda: False,
        )
    return found
