"""`fingerpost data context`: training rows with passages, from questions and a knowledge base.

The passages come from a knowledge base of a running gateway, or from a corpus that is taken into
a temporary one with the embedder and the configuration of this home. It knows files and options;
the rows are made in `adapters`, with the prompts of `service/chat/prompts.py`.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters import ContextMix, ContextQuestion, count_context, hold_out, load_rows
from service.cli.client import Gateway, segment
from service.cli.kb.evaluation import (
    BASE,
    TENANT,
    filled,
    load_embedder,
    read_corpus,
    read_rows,
    require_text,
)
from service.cli.output import (
    CommandFailed,
    JsonOption,
    Meter,
    Report,
    UrlOption,
    problem,
    reporting,
)
from service.errors import InvalidEvaluationFile
from service.fine_tuning.context_rows import FOUND, Find, FoundPassage, make_rows
from service.settings import load_settings
from service.stores.use_cases import UseCase

WHOLE = 100_000  # tokens: passages are looked at, not shown, so no budget counts


class Distractors(StrEnum):
    """What `--distractors` may name."""

    NEAR = "near"
    FAR = "far"
    MIXED = "mixed"


def context(
    questions: Annotated[
        Path, typer.Option("--questions", help="JSON Lines: question, answers, maybe gold_ids.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where the rows are written.")],
    knowledge_base: Annotated[
        str | None, typer.Option("--knowledge-base", "--kb", help="Where the passages are.")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Or a corpus, JSON Lines: id, title, text.")
    ] = None,
    refusals: Annotated[
        float, typer.Option("--refusals", help="Share of rows without the answer, 0 to 0.5.")
    ] = 0.5,
    passages: Annotated[
        int, typer.Option("--passages", help="Most passages of a row; rows have 1 to so many.")
    ] = 3,
    distractors: Annotated[
        Distractors,
        typer.Option(help="Found for the question (near), for others (far), or half and half."),
    ] = Distractors.MIXED,
    passage_words: Annotated[
        int, typer.Option(help="Words kept of each passage, the answer among them; 0: all.")
    ] = 0,
    ask_for_markers: Annotated[
        bool,
        typer.Option(help="Prompts ask for citations, as for requests that require them."),
    ] = False,
    held_out: Annotated[
        float,
        typer.Option(
            "--hold-out", min=0, help="Questions kept back, a share or a number; by source."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of every choice.")] = 0,
    use_case: Annotated[
        str | None, typer.Option("--use-case", "-u", help="Whose role, instructions and refusal.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make rows that teach a model to answer from passages, and to refuse without the answer.

    Held-out questions are written beside OUT as OUT.held-out.jsonl, in the form they came in.
    """
    with reporting(as_json) as report:
        mix = ContextMix(
            passages=passages,
            refusals=refusals,
            distractors=distractors.value,
            passage_words=passage_words,
            seed=seed,
        )
        if (knowledge_base is None) == (corpus is None):
            raise _usage("Name either a --knowledge-base or a --corpus.")
        asked = read_context_questions(questions)
        kept, held = hold_out(asked, held_out, seed=seed)
        case = UseCase(id="none") if use_case is None else _use_case(use_case, url)
        with _finder(knowledge_base, corpus, asked, url, report) as find:
            with report.meter("finding passages") as meter:
                made = make_rows(
                    kept,
                    _metered(find, len(kept), meter),
                    use_case=case,
                    ask_for_markers=ask_for_markers,
                    mix=mix,
                )
        written = {"out": str(out)}
        write_rows(out, made.rows)
        if held:
            beside = out.with_name(f"{out.name}.held-out.jsonl")
            write_rows(beside, [_as_row(question) for question in held])
            written["held_out"] = str(beside)
        counts = count_context(load_rows([out]))  # as a training will find them
        figures = {
            "questions": len(asked),
            "held_out_questions": len(held),
            **counts.as_dict(),
            "context_trained": counts.is_context_trained,
            "left_out": dict(made.left_out),
            **written,
        }
        report.result(figures, _human(figures))


def read_context_questions(file: Path) -> list[ContextQuestion]:
    """Return the questions of a file as `kb eval` takes them, with `answers`.

    Raises:
        InvalidEvaluationFile: It is missing or empty, or a row is not as it must be.
    """
    return [_question(place, row) for place, row in read_rows(file)]


def write_rows(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON Lines whole or not at all.

    Raises:
        CommandFailed: The file cannot be written.
    """
    draft = file.with_name(f".{file.name}.new")
    try:
        with draft.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        os.replace(draft, file)
    except OSError as exc:
        raise CommandFailed(problem(f"{file}: {exc}", code="invalid_file")) from exc


@contextmanager
def _finder(
    base: str | None,
    corpus: Path | None,
    questions: Sequence[ContextQuestion],
    url: str | None,
    report: Report,
) -> Iterator[Find]:
    """Yield what finds passages, in a temporary knowledge base or in the gateway's."""
    if corpus is None:
        with closing(Gateway.find(url)) as gateway:
            store = f"/v1/vector_stores/{segment(base or '')}"
            there = {row["external_id"] for row in gateway.pages(f"{store}/documents")}
            _require_known(questions, there, base or "")
            yield lambda question: _search(gateway, store, question)
        return
    documents = read_corpus(corpus)
    _require_known(questions, {row.row_id for row in documents}, str(corpus))
    settings = load_settings()
    with filled(documents, load_embedder(settings), settings.knowledge, report) as (knowledge, _):

        def find(question: str) -> list[FoundPassage]:
            found = knowledge.retrieve(
                question, base_ids=[BASE], tenant=TENANT, top_k=FOUND, max_tokens=WHOLE
            )
            return [FoundPassage(p.external_id, p.filename, p.text) for p in found.passages]

        yield find


def _search(gateway: Gateway, store: str, question: str) -> list[FoundPassage]:
    body = {"query": question, "max_num_results": FOUND, "max_tokens": WHOLE}
    found = gateway.post(f"{store}/search", json=body)["data"]
    return [FoundPassage(p["external_id"], p["filename"], p["text"]) for p in found]


def _metered(find: Find, count: int, meter: Meter) -> Find:
    done = 0

    def told(question: str) -> Sequence[FoundPassage]:
        nonlocal done
        done += 1
        meter.show(done / count, f"{done} of {count} questions")
        return find(question)

    return told


def _use_case(name: str, url: str | None) -> UseCase:
    with closing(Gateway.find(url)) as gateway:
        body = gateway.get(f"/use_cases/{segment(name)}")
    return UseCase.model_validate({k: v for k, v in body.items() if k in UseCase.model_fields})


def _question(place: str, row: Mapping[str, Any]) -> ContextQuestion:
    question = require_text(place, row, "question")
    answers = _texts(place, row, "answers")
    if not answers:
        raise InvalidEvaluationFile(
            f"{place}: `answers` is missing; it lists the right texts as the passage has them"
        )
    golds = _texts(place, row, "gold_ids")
    source = row.get("source") or "+".join(sorted(golds)) or question
    return ContextQuestion(
        question,
        answers,
        str(source),
        frozenset(golds),
        frozenset(_texts(place, row, "also_ids")),
    )


def _as_row(question: ContextQuestion) -> dict[str, Any]:
    return {
        "question": question.question,
        "answers": list(question.answers),
        "source": question.source,
        "gold_ids": sorted(question.gold_ids),
        "also_ids": sorted(question.other_ids),
    }


def _texts(place: str, row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise InvalidEvaluationFile(f"{place}: `{key}` must be a list of texts, none of them empty")
    return tuple(value)


def _require_known(questions: Sequence[ContextQuestion], known: set[str], where: str) -> None:
    for question in questions:
        if unknown := sorted(question.gold_ids - known):
            raise InvalidEvaluationFile(
                f"{where} has no document {unknown[0]!r}, which the question "
                f"{question.question!r} names as gold"
            )


def _usage(message: str) -> CommandFailed:
    return CommandFailed(problem(message, code="usage"))


def _human(figures: Mapping[str, Any]) -> str:
    lines = [
        f"{figures['rows']} rows from {figures['questions']} questions, "
        f"{figures['refusals']} of them refuse: {figures['out']}"
    ]
    if figures["held_out_questions"]:
        lines.append(f"{figures['held_out_questions']} questions held out: {figures['held_out']}")
    lines += [f"{count} questions left out: {why}" for why, count in figures["left_out"].items()]
    if figures["answer_share"] is not None:
        lines.append(f"{figures['answer_share']:.0%} of the answers stand in their passages")
    if not figures["context_trained"]:
        lines.append("not enough rows to call an adapter context-trained")
    return "\n".join(lines)
