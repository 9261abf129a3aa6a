"""`fingerpost kb backup|restore FILE`: the state of this machine's home in one file."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.api.schemas.shapes import JsonObject
from service.backup.archive import Manifest, make_backup
from service.backup.restore import restore_backup
from service.cli.local import open_local
from service.cli.output import JsonOption, command_output
from service.settings import load_settings

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="The backup file.")]
_NO_MODELS = "models are not included: `python -m adapters` prepares them again"
_NO_ADAPTERS = "adapter folders are not included: use --with-adapters to include them"


def backup(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    with_adapters: Annotated[
        bool, typer.Option("--with-adapters", help="Include the adapter folders.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Back up knowledge bases, use cases and records to one file; the service may keep running."""
    with command_output(as_json) as output:
        settings = load_settings()
        with output.progress("backing up") as bar:
            made = make_backup(
                settings,
                file,
                overwrite=force,
                with_adapters=with_adapters,
                on_progress=bar.show,
            )
        note = _NO_MODELS if with_adapters else f"{_NO_ADAPTERS}; {_NO_MODELS}"
        output.result(
            {"object": "backup", "file": str(file), **_summary(made), "note": note},
            f"{file}: {made.documents} documents, {made.chunks} chunks, a database of {made.bytes} "
            f"bytes, {made.included_adapters} of {made.adapters} adapters; {note}",
        )


def restore(file: FileArgument, as_json: JsonOption = False) -> None:
    """Replace the database by a backup and keep the old one; run `fingerpost down` first.

    Adapter folders in the backup are restored where they are missing or differ.
    """
    with command_output(as_json) as output:
        done = restore_backup(load_settings(), file)
        with open_local() as local:
            local.note_change("kb restore", "backups", file.name)
        kept = str(done.previous) if done.previous is not None else None
        body: JsonObject = {
            "object": "restore",
            "file": str(file),
            "database": str(done.database),
            "kept": kept,
            "kept_adapters": [str(folder) for folder in done.previous_adapters],
            **_summary(done.manifest),
        }
        before = f"; the previous database is {kept}" if kept else ""
        human = f"restored {done.manifest.documents} documents{before}. Start with `fingerpost up`."
        output.result(body, human)


def _summary(manifest: Manifest) -> JsonObject:
    """Return the manifest without the list of every adapter's files."""
    body = {**asdict(manifest), "held_adapters": manifest.included_adapters}
    del body["adapter_files"]
    return body
