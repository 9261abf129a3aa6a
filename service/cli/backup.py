"""`fingerpost kb backup|restore FILE`: the state of this machine's home in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.backup import make_backup, restore_backup
from service.cli.reporting import JsonOption, reporting
from service.settings import load_settings

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="The backup.")]
_NOT_IN_IT = "adapter folders and models are not in it: copy them yourself"


def backup(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write knowledge bases, use cases and records to one file; everything may go on running."""
    with reporting(as_json) as report:
        settings = load_settings()
        with report.meter("copying") as meter:
            made = make_backup(settings, file, overwrite=force, on_progress=meter.show)
        body = {"object": "backup", "file": str(file), **asdict(made), "note": _NOT_IN_IT}
        report.result(
            body,
            f"{file}: {made.documents} documents, {made.chunks} chunks, {made.bytes} bytes of "
            f"database; {_NOT_IN_IT}",
        )


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the database; needs `fingerpost down`, keeps the old one."""
    with reporting(as_json) as report:
        done = restore_backup(load_settings(), file)
        kept = str(done.kept) if done.kept is not None else None
        body = {
            "object": "restore",
            "file": str(file),
            "database": str(done.database),
            "kept": kept,
            **asdict(done.manifest),
        }
        before = f"; the database before it is {kept}" if kept else ""
        human = f"{done.manifest.documents} documents are back{before}. Start with `fingerpost up`."
        report.result(body, human)
