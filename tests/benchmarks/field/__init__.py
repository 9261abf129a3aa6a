"""Failing inputs that users reported: is the right thing read, found and shown to the model?

`python -m tests.benchmarks.field [--data FOLDER] [--embedder FOLDER] [--json]` does what each row
of `field.yaml` says with its input in FOLDER, and prints right or wrong and what is missing:

- *parse*: the text that the reader gives (with what it says it left out);
- *search*: the passages above the floor of a base that holds this file alone;
- *ask*: the passages that the model is sent by `/chat`, strategy `rag`;
- *post*: what the model is sent for the request in the file;
- *script*: what a shell script of commands prints.

Then single facts are looked up in tables and lists made here (`lookups.py`): of a table the row and
its header have to be shown to the model, of a list the entry has to be found above the floor.

The inputs of serving (`serving.yaml`, in `--serving-data FOLDER`) are tried on the gateway that
runs at `--url`; where none runs they are skipped, but for those that need none.

`--rows`, `--tables`, `--lists` and `--serving` do one part, `--kind N ...` only the rows of these
kinds.

Exit code 1 where a row of the kinds named `here` or one of serving is wrong, or fewer than 14 of 15
facts are found; 0 where data, embedder or gateway are absent.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from knowledge import KnowledgeError, parse
from tests.benchmarks.corpora import find_embedder, load_embedder, note
from tests.benchmarks.field.asked import AskedGateway, Seen, asked_gateway
from tests.benchmarks.field.lookups import Lookup, LookupFile, list_files, table_files
from tests.benchmarks.field.serving import serving_summary, serving_table
from tests.benchmarks.field.words import Words, missing, stands_in

FLOOR = 14  # of the 15 facts that are looked up in a file
PARTS = ("rows", "tables", "lists")
SERVING = "serving"
DATA = Path("../shared/field/knowledge")
SERVING_DATA = Path("../shared/field/serving")
URL = "http://127.0.0.1:8080"
ROWS = Path(__file__).with_name("field.yaml")


@dataclass(frozen=True, slots=True)
class Case:
    """One row of `field.yaml`."""

    kind: str
    file: str
    do: str
    question: str = ""
    to: str = ""
    documents: tuple[str, ...] = ()
    attributes: dict[str, str] | None = None
    holds: Words = ()
    lacks: Words = ()
    lines: Sequence[Words] = ()
    passages: Sequence[Words] = ()
    beside: Words = ()
    not_beside: Words = ()
    every: Words = ()
    pages: tuple[int, ...] = ()
    chunks: tuple[int, int] | None = None
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; `detail` says what is missing."""

    kind: str
    file: str
    right: bool
    detail: str


def read_cases(path: Path = ROWS) -> tuple[list[Case], frozenset[str]]:
    """Return the rows, and the kinds of which every row has to be right."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Case(**row) for row in table["rows"]], frozenset(table["here"])


def faults(case: Case, seen: Seen) -> list[str]:
    """Return what is wrong with what came out, in words; empty where it is right."""
    if case.refused and seen.status == case.refused:
        return []
    if seen.nothing and (case.passages or case.holds):
        return [seen.nothing]
    return [
        *(f"lacks {word!r}" for word in missing(case.holds, seen.text)),
        *(f"holds {word!r}" for word in case.lacks if stands_in(word, seen.text)),
        *_line_faults(case, seen),
        *_passage_faults(case, seen),
        *_chunk_faults(case, seen),
    ]


def _line_faults(case: Case, seen: Seen) -> list[str]:
    lines = seen.text.splitlines()
    wanted = [words for words in case.lines if all(missing(words, line) for line in lines)]
    return [f"no line with {words!r}" for words in wanted]


def _passage_faults(case: Case, seen: Seen) -> list[str]:
    found: list[str] = []
    for words in case.passages:
        best = min((missing(words, one.whole) for one in seen.passages), key=len, default=words)
        if best:
            found.append(f"no passage with {words!r} (lacks {best!r})")
    for one in seen.passages:
        found += [f"a passage lacks {word!r}" for word in missing(case.every, one.whole)]
    return found or _beside_faults(case, seen)


def _beside_faults(case: Case, seen: Seen) -> list[str]:
    """Return what is wrong beside the first passage that was looked for."""
    if not case.passages:
        return []
    right = [one for one in seen.passages if not missing(case.passages[0], one.whole)]
    named = frozenset[int]().union(*(one.pages for one in right))
    lacks = [f"beside it is no {word!r}" for word in missing(case.beside, right[0].beside)]
    holds = [word for word in case.not_beside if stands_in(word, right[0].beside)]
    pages = [f"names pages {sorted(named)}"] if not named.issuperset(case.pages) else []
    return [*lacks, *(f"beside it is {word!r}" for word in holds), *pages]


def _chunk_faults(case: Case, seen: Seen) -> list[str]:
    if case.chunks is None or seen.chunks is None:
        return []
    least, most = case.chunks
    return [] if least <= seen.chunks <= most else [f"{seen.chunks} chunks"]


@dataclass
class Field:
    """The inputs, and the gateway they are tried on."""

    folder: Path
    gateway: AskedGateway

    def check(self, number: int, case: Case) -> Outcome:
        """Do what a row says and compare."""
        try:
            found = faults(case, self._do(f"field-{number}", case))
        except KnowledgeError as exc:
            found = [f"{type(exc).__name__}: {exc}"]
        return Outcome(case.kind, case.file, not found, "; ".join(found))

    def _do(self, base: str, case: Case) -> Seen:
        content = (self.folder / case.file).read_bytes()
        if case.do == "parse":
            return read(case.file, content)
        if case.do == "script":
            return self.gateway.run(content.decode())
        if case.do == "post":
            for name in case.documents:
                document = (self.folder / name).read_bytes()
                self.gateway.put(base, name, document, case.attributes)
            body = json.loads(content)
            if "knowledge_bases" in body:
                body["knowledge_bases"] = [base]
            return self.gateway.post(case.to.format(base=base), body)
        return self._find(base, case, content)

    def _find(self, base: str, case: Case, content: bytes) -> Seen:
        document = self.gateway.put(base, case.file, content)
        look = self.gateway.ask if case.do == "ask" else self.gateway.search
        seen = look(base, case.question)
        return Seen(seen.text, seen.passages, chunks=document["chunks"], nothing=seen.nothing)


def read(name: str, content: bytes) -> Seen:
    """Return what the reader gives: the text, and below it what it says it left out."""
    parsed = parse(name, content)
    told = {one.name: getattr(parsed, one.name) for one in fields(parsed)}
    left_out = told.get("left_out")
    return Seen(f"{parsed.text}\n{left_out}" if left_out else parsed.text)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """How many facts of a table or list were found, and the questions whose fact was not."""

    kind: str
    name: str
    found: int
    asked: int
    missed: tuple[str, ...]


def look_up(gateway: AskedGateway, kind: str, file: LookupFile) -> LookedUp:
    """Put a file into a base of its own and look everything up."""
    gateway.put(file.name, file.filename, file.content)
    look = gateway.ask if kind == "tables" else gateway.search
    missed = [one for one in file.lookups if not is_shown(one, look(file.name, one.question))]
    note(f"{file.name}: {len(file.lookups) - len(missed)} of {len(file.lookups)}")
    return LookedUp(
        kind,
        file.name,
        len(file.lookups) - len(missed),
        len(file.lookups),
        tuple(one.question for one in missed),
    )


def is_shown(lookup: Lookup, seen: Seen) -> bool:
    """Return whether one passage has the line that was looked for, and its header."""
    return any(
        not missing(lookup.passage, one.whole)
        and any(not missing(lookup.line, line) for line in one.text.splitlines())
        for one in seen.passages
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Try every row, look up every fact, and print."""
    options = _options(argv)
    wanted = [part for part in (*PARTS, SERVING) if getattr(options, part)] or (*PARTS, SERVING)
    if options.kind:
        wanted = ["rows"]
    document: dict[str, Any] = {}
    lines: list[str] = []
    if set(wanted) & set(PARTS):
        document, lines = _knowledge(options, wanted)
    if SERVING in wanted:
        document[SERVING] = serving_summary(options.serving_data, options.url.rstrip("/"))
        lines += serving_table(document[SERVING])
    shown = json.dumps(document, ensure_ascii=False) if options.json else "\n".join(lines)
    sys.stdout.write(f"{shown}\n")
    return 1 if is_wrong(document) else 0


def is_wrong(document: Mapping[str, Any]) -> bool:
    """Return whether anything is wrong that has to be right."""
    of_rows = document.get("here", {}).get("wrong", 0)
    of_serving = document.get(SERVING, {}).get("wrong", 0)
    few = [one for one in document.get("lookups", ()) if one["found"] < FLOOR]
    return bool(of_rows or of_serving or few)


def _knowledge(
    options: argparse.Namespace, wanted: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return what became of the rows of `field.yaml` and of the facts, and a line for each."""
    embedder_at = find_embedder(options.embedder)
    if embedder_at is None or not options.data.is_dir():
        absent = "no embedder" if options.data.is_dir() else f"{options.data} is not there"
        return {"skipped": absent}, [f"knowledge: {absent}"]
    cases, here = read_cases()
    if "rows" not in wanted:
        cases = []
    asked = [case for case in cases if not options.kind or case.kind in options.kind]
    embedder = load_embedder(embedder_at)
    with asked_gateway(embedder) as gateway:
        field = Field(options.data, gateway)
        outcomes = [field.check(number, case) for number, case in enumerate(asked)]
        files = {"tables": table_files, "lists": list_files}
        found = [
            look_up(gateway, kind, file)
            for kind, written in files.items()
            if kind in wanted
            for file in written()
        ]
    document = summary(outcomes, here, found)
    return document, table(outcomes, found, document)


def summary(
    outcomes: Sequence[Outcome], here: frozenset[str], found: Sequence[LookedUp]
) -> dict[str, Any]:
    """Return every row and the sums."""
    mine = [one.right for one in outcomes if one.kind in here]
    others = [one.right for one in outcomes if one.kind not in here]
    return {
        "rows": [asdict(one) for one in outcomes],
        "right": sum(mine) + sum(others),
        "wrong": len(outcomes) - sum(mine) - sum(others),
        "here": {"right": sum(mine), "wrong": len(mine) - sum(mine)},
        "others": {"right": sum(others), "wrong": len(others) - sum(others)},
        "lookups": [asdict(one) for one in found],
    }


def table(
    outcomes: Sequence[Outcome], found: Sequence[LookedUp], document: Mapping[str, Any]
) -> list[str]:
    """Return a line for each row and each file, and the sums."""
    lines = [
        f"{'right' if one.right else 'WRONG'} {one.kind:>3} {one.file:22} {one.detail}".rstrip()
        for one in outcomes
    ]
    for one in found:
        mark = "right" if one.found >= FLOOR else "WRONG"
        not_found = f", not: {one.missed[0]}" if one.missed else ""
        lines.append(f"{mark} {one.kind:6} {one.name:22} {one.found:>2} of {one.asked}{not_found}")
    sums = (("kinds that have to be right", "here"), ("other kinds", "others"))
    lines += [
        f"{title}: {document[part]['right']} right, {document[part]['wrong']} wrong"
        for title, part in sums
        if outcomes
    ]
    return lines


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.benchmarks.field",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--embedder", help="folder or Hugging Face id; default: the prepared one")
    parser.add_argument("--kind", nargs="*", default=(), help="only the rows of these kinds")
    parser.add_argument("--serving-data", type=Path, default=SERVING_DATA)
    parser.add_argument("--url", default=URL, help="the running gateway (default: %(default)s)")
    for part in (*PARTS, SERVING):
        parser.add_argument(f"--{part}", action="store_true", help=f"only the {part}")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)
