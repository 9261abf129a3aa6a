"""How well do the filters of training rows tell two tasks apart?

`python -m tests.benchmarks.training_data.filters [--data FOLDER] [--embedder FOLDER]
[--model FOLDER] [--rows N] [--embedded-rows N] [--labels N] [--perplexity-rows N] [--json]` takes
rows of one task as wanted and rows of another as unwanted, and prints the AUC of each filter and
the shares it keeps at its own threshold. What a filter learns from (labels, rows of the domain) is
never among the rows it is tried on. It also compares the processor time of filtering by similarity
with that of embedding the same texts bare.

It ends with 1 if the classifier has an AUC below 0.95, or filtering by similarity a rate below 0.9
of the embedder's. Perplexity is measured only with `--model`, a folder of a base model.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from adapters import (
    AdaptersConfig,
    ClassifierSettings,
    Domain,
    PerplexitySettings,
    Row,
    ScoreFilter,
    describe_base_model,
    filter_by_classifier,
    filter_by_likeness,
    filter_by_perplexity,
    filter_by_similarity,
    fit_row_classifier,
    load_rows,
    measure_perplexities,
)
from adapters.data.filters.classifier import Features
from adapters.data.relevance import MAX_CHARS, Embed, said_in
from knowledge import Embedder
from service.fine_tuning.data_checks import find_domain
from tests.benchmarks.corpora import DATA, find_embedder, load_embedder, note

MIN_AUC = 0.95  # of the classifier; the aim for similarity
AIM_PERPLEXITY = 0.8
MIN_RATE = 0.9  # of the bare embedder's
PAIRS = (
    (
        "support_style_en",
        "facts_json_en",
        "Customer support of an online shop: orders, delivery, payment, refunds, accounts",
    ),
    (
        "acts_json_zh",
        "service_style_zh",
        "把用户的话转成对话行为：一个 JSON 数组，每项含 act、domain、slot、value",
    ),
)


@dataclass(frozen=True, slots=True)
class Told:
    """How one filter tells a pair of tasks apart.

    Attributes:
        pair: Wanted and unwanted.
        by: The filter.
        wanted: Rows of that kind it was tried on.
        unwanted: Likewise.
        auc: How often a wanted row is on the better side of an unwanted one.
        threshold: Its own.
        wanted_kept: Share of the wanted rows it keeps.
        unwanted_kept: Share of the unwanted rows it keeps.
        cpu_s: Processor time of this process for making and running it.
    """

    pair: str
    by: str
    wanted: int
    unwanted: int
    auc: float
    threshold: float
    wanted_kept: float
    unwanted_kept: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows of one task: those to try a filter on, and others that it may learn from."""

    tried: list[Row]
    known: list[Row]


def divide(file: Path, count: int, labels: int) -> Parts:
    """Return rows of a file, drawn with a fixed seed; of a short file half are tried."""
    rows = load_rows([file])
    random.Random(0).shuffle(rows)
    tried = min(count, len(rows) // 2)
    return Parts(rows[:tried], rows[tried : tried + labels])


def try_filter(
    pair: str, by: str, make: Callable[[], ScoreFilter], wanted: Parts, unwanted: Parts, most: int
) -> Told:
    """Make a filter and run it over at most so many rows of both kinds."""
    note(f"{pair}: {by} …")
    began = time.process_time()
    step = make()
    kinds = (wanted.tried[:most], unwanted.tried[:most])
    results = [list(step.run(rows)) for rows in kinds]
    took = time.process_time() - began
    sign = 1 if step.threshold.is_minimum else -1
    scores = [sign * one.scores[step.threshold.score] for found in results for one in found]
    labels = np.repeat((1, 0), [len(found) for found in results])
    kept = [1 - float(np.mean([one.is_dropped for one in found])) for found in results]
    return Told(
        pair=pair,
        by=by,
        wanted=len(results[0]),
        unwanted=len(results[1]),
        auc=round(float(roc_auc_score(labels, scores)), 4),
        threshold=round(step.threshold.value, 4),
        wanted_kept=round(kept[0], 3),
        unwanted_kept=round(kept[1], 3),
        cpu_s=round(took, 1),
    )


def remember(embed: Embed) -> Embed:
    """Return what embeds each text once: several filters see the same."""
    known: dict[str, npt.NDArray[np.float32]] = {}

    def look_up(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return look_up


def filters_of(
    wanted: Parts, unwanted: Parts, description: str, embedder: Embedder | None
) -> dict[str, Callable[[], ScoreFilter]]:
    """Return what makes each filter of a pair, by name."""

    embed = None if embedder is None else remember(embedder.embed_passages)

    def classify(features: Features) -> ScoreFilter:
        settings = ClassifierSettings(features=features)
        return filter_by_classifier(
            fit_row_classifier(wanted.known, unwanted.known, settings, embed=embed)
        )

    if embedder is None or embed is None:
        return {"classifier, letters": lambda: classify("letters")}

    def describe() -> ScoreFilter:
        domain = find_domain(wanted.tried, description, embedder, None)
        assert isinstance(domain, Domain), domain
        return filter_by_similarity(replace(domain, embed=embed), embedder_id="")

    return {
        "classifier, letters": lambda: classify("letters"),
        "classifier, embedder": lambda: classify("embedder"),
        "similarity to a description": describe,
        "similarity to rows": lambda: filter_by_likeness(wanted.known, embed, embedder_id=""),
    }


def by_perplexity(folder: Path, wanted: Parts, examples: int) -> ScoreFilter:
    """Return the filter by perplexity of a base model."""
    base = describe_base_model(folder)

    def measure(texts: Sequence[str], before: Sequence[str]) -> list[float | None]:
        return measure_perplexities(
            texts,
            before,
            base=base,
            environment=dict(os.environ),
            settings=AdaptersConfig(),
            on_progress=lambda event: note(event.message),
        )

    settings = PerplexitySettings(examples=examples)
    return filter_by_perplexity(settings, wanted.known[:40], measure, model_id=base.id)


def compare_rate(rows: Sequence[Row], embedder: Embedder) -> float:
    """Return the rate of filtering by similarity as a share of bare embedding; best of three."""
    texts = [said_in(row)[:MAX_CHARS] for row in rows]
    step = filter_by_similarity(
        Domain("x", embedder.embed_passages, 0.0, "the benchmark"), embedder_id=""
    )
    shares = []
    for _ in range(3):
        began = time.process_time()
        embedder.embed_passages(texts)
        bare = time.process_time()
        for _result in step.run(rows):
            pass
        shares.append((bare - began) / (time.process_time() - bare))
    return round(max(shares), 3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--embedder", help="its folder; default: the prepared one")
    parser.add_argument("--model", type=Path, help="folder of a base model, for perplexity")
    parser.add_argument("--rows", type=int, default=500, help="tried of each task")
    parser.add_argument("--labels", type=int, default=500, help="rows of each task to learn from")
    parser.add_argument("--perplexity-rows", type=int, default=60, help="of each task")
    parser.add_argument("--embedded-rows", type=int, default=500, help="of each task")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if not (options.data / "sft").is_dir():
        sys.stdout.write(json.dumps({"skipped": f"nothing in {options.data}"}) + "\n")
        return 0
    folder = find_embedder(options.embedder)
    embedder = None if folder is None else load_embedder(folder)
    told: list[Told] = []
    rate = None
    for wanted_name, unwanted_name, description in PAIRS:
        pair = f"{wanted_name} / {unwanted_name}"
        wanted, unwanted = (
            divide(options.data / "sft" / f"{name}.jsonl", options.rows, options.labels)
            for name in (wanted_name, unwanted_name)
        )
        for by, make in filters_of(wanted, unwanted, description, embedder).items():
            most = options.rows if by == "classifier, letters" else options.embedded_rows
            told.append(try_filter(pair, by, make, wanted, unwanted, most))
        if options.model is not None:
            for examples in (3, 0):
                make = partial(by_perplexity, options.model, wanted, examples)
                by, most = f"perplexity, {examples} examples", options.perplexity_rows
                told.append(try_filter(pair, by, make, wanted, unwanted, most))
    if embedder is not None:
        note("rate …")
        rate = compare_rate(wanted.tried[: options.embedded_rows], embedder)
    missed = [
        f"{one.pair}, {one.by}: AUC {one.auc}, {MIN_AUC} is needed"
        for one in told
        if one.by.startswith("classifier") and one.auc < MIN_AUC
    ]
    if rate is not None and rate < MIN_RATE:
        missed.append(f"similarity: {rate} of the embedder's bare rate, {MIN_RATE} is needed")
    figures = {"embedder": folder, "rate": rate, "filters": [asdict(one) for one in told]}
    if options.json:
        sys.stdout.write(json.dumps({**figures, "missed": missed}) + "\n")
    else:
        lines = [
            f"{one.pair:<36} {one.by:<28} AUC {one.auc:.3f}  keeps {one.wanted_kept:.3f} of "
            f"{one.wanted} and {one.unwanted_kept:.3f} of {one.unwanted} at {one.threshold:g}  "
            f"{one.cpu_s} s"
            for one in told
        ]
        lines.append(f"similarity: {rate} of the embedder's bare rate")
        sys.stdout.write("\n".join((*lines, *missed)) + "\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
