"""`fingerpost kb add`: documents put into a knowledge base.

It knows files and their document ids; it does not know how a document is parsed.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from knowledge import encoding_name, named_encoding
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, Upload, segment
from service.cli.kb.bases import STORES, BaseArgument, list_document
from service.cli.kb.folders import (
    Failure,
    FoundFiles,
    find_files,
    print_skipped,
    read_unchanged,
)
from service.cli.kb.rules import AccessOption, AccessRules
from service.cli.output import (
    FAILED,
    PARTIAL,
    CommandFailed,
    JsonOption,
    Output,
    ProgressBar,
    UrlOption,
    command_output,
)
from service.cli.replies import DocumentReply, JobReply

EncodingOption = Annotated[
    str | None,
    typer.Option(help="Encoding of text files, e.g. gb18030 or big5; detected if left out."),
]
ENDS_ALL = frozenset({"gateway_unavailable", "knowledge_base_not_found"})
"""Codes of failures that every other file would meet as well."""


def add(
    base: BaseArgument,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files or folders to add.", exists=True)
    ],
    *,
    external_id: Annotated[
        str | None, typer.Option("--as", help="Id of the document (a single file only).")
    ] = None,
    access: AccessOption = None,
    password: Annotated[
        str | None, typer.Option(help="Password of an encrypted PDF; it is not stored.")
    ] = None,
    encoding: EncodingOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add or replace documents. In a folder, a file's relative path is its document id.

    A file `.fingerpost-access`, with an access label a line, holds for its folder and below. Hidden
    files and those that programs leave (Thumbs.db, ~$x.docx, .DS_Store) are skipped and told. If a
    file fails, the others are still added, and the exit code is 3; 1 if none could be added.
    """
    with command_output(as_json) as output, closing(Gateway.find(url)) as gateway:
        rules, encoding = AccessRules(access), known_encoding(encoding)
        found = find_files(files)
        if external_id is not None:
            if len(found.files) != 1:
                raise CommandFailed("--as can only be used with a single file.", code="usage")
            found.files = {external_id: next(iter(found.files.values()))}
        documents = add_documents(
            gateway, output, base, found, rules=rules, password=password, encoding=encoding
        )
        body: JsonObject = {
            **list_document(documents),
            "failed": [row.as_json() for row in found.failed],
            "skipped": [*found.skipped_as_json()],
        }
        output.result(body, lambda out: _print_added(out, base, documents, found))
        if found.failed:
            raise typer.Exit(PARTIAL if documents else FAILED)


def add_documents(
    gateway: Gateway,
    output: Output,
    base: str,
    found: FoundFiles,
    *,
    rules: AccessRules,
    password: str | None = None,
    encoding: str | None = None,
) -> list[Received[DocumentReply]]:
    """Put every file and wait until the last one is searchable; `found` is told what failed.

    Raises:
        CommandFailed: The gateway or the base is gone, or the only file failed.
    """
    root = f"{STORES}/{segment(base)}/documents"
    documents: list[Received[DocumentReply]] = []
    plans = plan_labels(found, rules, encoding)
    with output.progress(f"adding to {base}") as bar:
        for done, plan in enumerate(plans):
            bar.show(done / len(plans), plan.name)
            try:
                upload = plan.upload(password)
                documents.append(_put(gateway, bar, f"{root}/{segment(plan.name)}", upload))
            except (CommandFailed, OSError) as exc:
                failure = Failure.of(plan.name, exc)
                is_only = len(found.files) == 1 and not found.failed
                if isinstance(exc, CommandFailed) and (is_only or failure.code in ENDS_ALL):
                    raise
                found.failed.append(failure)
        bar.show(1.0)
    return documents


@dataclass(frozen=True, slots=True)
class Plan:
    """A file to send.

    Attributes:
        labels: Those that a rule gives it; None: there is no rule.
        encoding: Of its text, where the user names it.
    """

    name: str
    file: Path
    labels: tuple[str, ...] | None
    encoding: str | None = None

    def upload(self, password: str | None = None) -> Upload:
        """Read the file, and return it with its form fields; an absent one leaves what is stored.

        Raises:
            CommandFailed, OSError: It changed while it was read, or cannot be read.
        """
        fields = {} if self.labels is None else {"access_labels": json.dumps(self.labels)}
        if password is not None:
            fields["password"] = password
        if self.encoding is not None:
            fields["encoding"] = self.encoding
        content = read_unchanged(self.file, lambda opened: opened.read())
        return Upload(self.file.name, content, fields)

    def is_read_as(self, encoding: str) -> bool:
        """Say whether a document in this encoding is what the file gives."""
        if self.encoding is None:
            return True
        named = named_encoding(self.file.name, self.file.read_bytes(), self.encoding)
        return named in (None, encoding)


def known_encoding(name: str | None) -> str | None:
    """Return the encoding that a user names, None if none. Raises `UnknownEncoding`."""
    return encoding_name(name) if name else None


def plan_labels(found: FoundFiles, rules: AccessRules, encoding: str | None = None) -> list[Plan]:
    """Return the files to send, those with labels first: a copy without a rule follows them.

    A file whose rules cannot be read or disagree is not sent; `found` is told.
    """
    plans: list[Plan] = []
    for name, file in found.files.items():
        try:
            plans.append(Plan(name, file, rules.labels_of(file), encoding))
        except CommandFailed as exc:
            found.failed.append(Failure.of(name, exc))
    return sorted(plans, key=lambda plan: not plan.labels)


def _put(gateway: Gateway, bar: ProgressBar, path: str, upload: Upload) -> Received[DocumentReply]:
    reply = gateway.call("PUT", path, DocumentReply, upload=upload)
    if job := reply.reply.job:
        gateway.finish(f"/jobs/{segment(job.id)}", JobReply, bar)
        reply = gateway.get(path, DocumentReply)
    return reply


def _print_added(
    out: Console,
    base: str,
    documents: Sequence[Received[DocumentReply]],
    found: FoundFiles,
) -> None:
    print_skipped(out, found.skipped, width=10)
    for row in found.failed:
        out.print(f"failed    {row.document}: {row.message}", markup=False)
    for document in documents:
        if labels := document.reply.access_labels:
            out.print(f"guarded   {document.reply.name}: {', '.join(labels)}", markup=False)
        for part in document.reply.left_out:
            out.print(f"not read  {document.reply.name}: {part}", markup=False)
    failed = f", {len(found.failed)} failed" if found.failed else ""
    out.print(f"{len(documents)} documents are searchable in {base}{failed}", markup=False)
