"""`fingerpost kb backup|restore FILE`: the state of this machine's home in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from service.backup.archive import Manifest, make_backup
from service.backup.restore import restore_backup
from service.cli.output import JsonOption, reporting
from service.settings import load_settings

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="The backup.")]
_NO_MODELS = "models are not in it: `python -m adapters` prepares them again"
_NO_ADAPTERS = "adapter folders are not in it: --with-adapters puts them in"


def backup(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    with_adapters: Annotated[
        bool, typer.Option("--with-adapters", help="Put the folders of adapters in as well.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write knowledge bases, use cases and records to one file; everything may go on running."""
    with reporting(as_json) as report:
        settings = load_settings()
        with report.meter("copying") as meter:
            made = make_backup(
                settings,
                file,
                overwrite=force,
                with_adapters=with_adapters,
                on_progress=meter.show,
            )
        note = _NO_MODELS if with_adapters else f"{_NO_ADAPTERS}; {_NO_MODELS}"
        report.result(
            {"object": "backup", "file": str(file), **_said(made), "note": note},
            f"{file}: {made.documents} documents, {made.chunks} chunks, {made.bytes} bytes of "
            f"database, {made.included_adapters} of {made.adapters} adapters; {note}",
        )


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Put a backup in the place of the database; needs `fingerpost down`, keeps the old one.

    Adapter folders that it holds go back as well, where they are missing or changed.
    """
    with reporting(as_json) as report:
        done = restore_backup(load_settings(), file)
        kept = str(done.previous) if done.previous is not None else None
        body = {
            "object": "restore",
            "file": str(file),
            "database": str(done.database),
            "kept": kept,
            "kept_adapters": [str(folder) for folder in done.previous_adapters],
            **_said(done.manifest),
        }
        before = f"; the database before it is {kept}" if kept else ""
        human = f"{done.manifest.documents} documents are back{before}. Start with `fingerpost up`."
        report.result(body, human)


def _said(manifest: Manifest) -> dict[str, Any]:
    """Return what is told of a backup: how many adapters it holds, not each of their files."""
    body = {**asdict(manifest), "held_adapters": manifest.included_adapters}
    del body["adapter_files"]
    return body
