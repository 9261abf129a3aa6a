"""Is cleaning worth it? An adapter trained on dirty rows against one trained on them cleaned.

`python -m tests.benchmarks.training_data.dirt [--data FOLDER] [--work FOLDER] [--rows N] [--json]`
holds rows of `sft/facts_json_en.jsonl` back by their answers, and makes others dirty: a tenth of
them are of another task, a tenth near copies with another row's answer, a tenth chatter. The dirt
knows nothing of the cleaner, which is `deploy/pipelines/extraction.yaml` as it ships. Both adapters
of the small base model take the same number of steps, with default settings; slot-F1 on the rows
held back is compared row by row. `--work` keeps rows, adapters and answers; what is there is not
made again. Exit code 1 where the difference is not clear of 0, 0 where data or models are absent.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from adapters import (
    ModelFolder,
    Row,
    RowFormat,
    describe_base_model,
    parse_any_rows,
    parse_training_config,
    run_training,
    to_fields,
)
from adapters.data import Message
from adapters.data.folding import fold
from adapters.evaluation.metrics import Wanted, get_metric
from adapters.evaluation.statistics import Resamples, Score
from service.cli.data.context import write_rows
from service.settings import child_environment, load_settings
from tests.benchmarks.corpora import DATA, note

PIPELINE = Path("deploy/pipelines/extraction.yaml")
BASE = "smollm2-135m-instruct"
DIRT = 0.1  # of each of the three kinds
EDITS = 0.05  # of the letters of a near copy
BATCH = 4  # rows a step, the default
NEW_TOKENS = 120
CHATTER = (
    ("Hi there!", "Hello! How can I help you today?"),
    ("Thanks a lot, that was quick.", "You are welcome! Have a nice day."),
    ("Are you still there?", "Yes, I am here. What would you like to know?"),
    ("ok", "Great. Is there anything else?"),
    ("Good morning, anybody home?", "Good morning! What can I do for you?"),
    ("Never mind.", "No problem. Just write again if you need anything."),
    ("lol", "I am glad that it made you laugh!"),
    ("See you tomorrow then", "See you tomorrow!"),
)


def divide(rows: Sequence[Row], train: int, held: int, rng: random.Random) -> list[list[Row]]:
    """Return rows to train on and rows to be asked; no answer stands in both."""
    by_answer: dict[str, list[Row]] = {}
    for row in rows:
        by_answer.setdefault(fold(row.messages[-1].content), []).append(row)
    answers = sorted(by_answer)
    rng.shuffle(answers)
    parts: list[list[Row]] = [[], []]
    for answer in answers:
        part = parts[len(parts[1]) < held]
        part += by_answer[answer]
    return [parts[0][:train], parts[1][:held]]


def make_dirty(good: Sequence[Row], other: Sequence[Row], rng: random.Random) -> list[Row]:
    """Return as many rows, three tenths of them dirt."""
    each = round(DIRT * len(good))
    kept = list(good[: len(good) - 3 * each])
    copies = [
        replace(
            row, messages=(*row.messages[:-2], _edit(row.messages[-2], rng), wrong.messages[-1])
        )
        for row, wrong in zip(rng.sample(kept, each), rng.sample(kept, each), strict=True)
    ]
    system = [turn for turn in good[0].messages if turn.role == "system"]
    chatter = [
        replace(good[0], messages=(*system, Message("user", asked), Message("assistant", said)))
        for asked, said in rng.choices(CHATTER, k=each)
    ]
    dirty = [*kept, *rng.sample(list(other), each), *copies, *chatter]
    rng.shuffle(dirty)
    return [replace(row, meta={}, line=line) for line, row in enumerate(dirty, start=1)]


def _edit(turn: Message, rng: random.Random) -> Message:
    letters = list(turn.content)
    for at in rng.sample(range(len(letters)), max(1, round(EDITS * len(letters)))):
        letters[at] = rng.choice("abcdefghijklmnopqrstuvwxyz ")
    return replace(turn, content="".join(letters))


def clean(dirty: Path, out: Path) -> None:
    """Send rows through the pipeline that ships, as a user does."""
    words = ["data", "run", str(PIPELINE), "--read", str(dirty), "--out", str(out), "--json"]
    domain = "Restaurant facts are extracted from a text as one JSON object."
    command = [sys.executable, "-m", "service.cli", *words, "--domain", domain]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not out.is_file():  # checks may fail: scenarios and dates are not what is measured
        raise RuntimeError(done.stdout + done.stderr)


def train(arm: str, rows: Path, base: ModelFolder, work: Path, steps: int) -> Path:
    """Return the adapter's folder; one that was trained before is not trained again."""
    made = sorted((work / "adapters").glob(f"{arm}@*"))
    if made:
        return made[0]
    keys = {
        "task": arm,
        "model_name_or_path": base.id,
        "dataset": [str(rows)],
        "max_steps": steps,
        "per_device_train_batch_size": BATCH,
        "gradient_accumulation_steps": 1,
    }
    run_dir = work / "runs" / arm
    for folder in (run_dir, work / "adapters"):
        folder.mkdir(parents=True, exist_ok=True)
    return run_training(
        parse_training_config(keys),
        base=base,
        into=work / "adapters",
        environment=child_environment(),
        run_dir=run_dir,
        on_progress=lambda event: note(f"{arm}: {event.as_dict()}"),
    ).folder


def answer(
    arm: str, asked: Sequence[Row], adapter: Path, base: ModelFolder, work: Path
) -> list[str]:
    """Return the adapter's answer to each row; kept answers are not asked for again."""
    file = work / f"{arm}.{len(asked)}.answers.json"
    if not file.is_file():
        from adapters.evaluation.process.generation import generate_all  # torch: only where needed

        prompts = [[turn.as_dict() for turn in row.messages[:-1]] for row in asked]
        named = {"name": arm, "adapter": str(adapter), "prompts": prompts}
        job = {
            "base": str(base.folder),
            "threads": 2,
            "arms": [{**named, "max_new_tokens": NEW_TOKENS}],
        }
        done = generate_all(job, lambda event: note(f"{arm}: {event['message']}"))
        file.write_text(json.dumps(done["arms"][arm]["answers"]), encoding="utf-8")
    answers: list[str] = json.loads(file.read_text(encoding="utf-8"))
    return answers


def compare(asked: Sequence[Row], said: dict[str, list[str]]) -> dict[str, Score]:
    """Return slot-F1 of each arm, and by how much `clean` scores higher."""
    wanted = [Wanted(row.messages[-1].content) for row in asked]
    metric = get_metric("slot_f1", wanted)
    counts = {
        arm: np.stack([metric.count(*pair) for pair in zip(answers, wanted, strict=True)])
        for arm, answers in said.items()
    }
    draws = Resamples.draw(len(asked))
    scores = {arm: draws.score(rows, metric.score) for arm, rows in counts.items()}
    difference = draws.difference(counts["clean"], counts["dirty"], metric.score)
    return {**scores, "difference": difference}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the experiment and return the exit code."""
    options = _options(arguments)
    facts, other = (options.data / "sft" / f"{n}_en.jsonl" for n in ("facts_json", "support_style"))
    model = load_settings().base_model_path.with_name(BASE)
    if not (facts.is_file() and other.is_file() and model.is_dir()):
        note(f"{facts} or {model} is not here: nothing measured")
        return 0
    rng = random.Random(options.seed)
    rows, foreign = (list(parse_any_rows(f.read_bytes(), f.name)) for f in (facts, other))
    good, asked = divide(rows, options.rows, options.asked, rng)
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        files = {arm: work / f"{arm}.jsonl" for arm in ("dirty", "clean")}
        if not files["clean"].is_file():
            dirty = make_dirty(good, foreign, rng)
            write_rows(files["dirty"], [to_fields(row, RowFormat.MESSAGES) for row in dirty])
            clean(files["dirty"], files["clean"])
        sizes = {arm: len(file.read_text().splitlines()) for arm, file in files.items()}
        base = describe_base_model(model)
        said = {}
        for arm, file in files.items():
            adapter = train(arm, file, base, work, steps=options.rows // BATCH)
            said[arm] = answer(arm, asked, adapter, base, work)
        scores = compare(asked, said)
    report = {
        "rows": sizes,
        "asked": len(asked),
        "slot_f1": {name: score.model_dump() for name, score in scores.items()},
    }
    sys.stdout.write(json.dumps(report, indent=None if options.json else 2) + "\n")
    return 0 if scores["difference"].low > 0 else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the data sets")
    parser.add_argument("--work", type=Path, help="keeps what was made; default: nothing is kept")
    parser.add_argument("--rows", type=int, default=600, help="to train on, dirt among them")
    parser.add_argument("--asked", type=int, default=150, help="held back and asked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
