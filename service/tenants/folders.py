"""The folders of a home that belong to a tenant: its adapters, its training runs, what they left.

It knows which rows name which folders; it does not know what the folders hold.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from adapters import metadata as adapter_metadata
from service.home import Home
from service.stores.database import Database
from service.stores.files import files
from service.stores.jobs import jobs

SCRATCH = "train-*"  # of a worker that was killed: rows of a training, in `run`


@dataclass(frozen=True, slots=True)
class TenantFolders:
    """Folders of one tenant.

    Attributes:
        adapters: Of its adapters alone.
        shared_adapters: Of adapters that another tenant has with the same content; they stay.
        trainings: Journals and checkpoints of its training jobs.
        scratch: Training rows that a killed worker left.
    """

    adapters: tuple[Path, ...]
    shared_adapters: tuple[Path, ...]
    trainings: tuple[Path, ...]
    scratch: tuple[Path, ...]

    @property
    def own(self) -> tuple[Path, ...]:
        """The folders that go with the tenant."""
        return (*self.adapters, *self.trainings, *self.scratch)


def find_folders(home: Home, database: Database, tenant: str) -> TenantFolders:
    """Return the folders of `tenant` that exist."""
    table = adapter_metadata.tables["adapter_adapters"]
    with database.connect() as connection:
        mine = set(connection.scalars(select(table.c.folder).where(table.c.tenant == tenant)))
        others = set(connection.scalars(select(table.c.folder).where(table.c.tenant != tenant)))
        job_ids = set(connection.scalars(select(jobs.c.job_id).where(jobs.c.tenant == tenant)))
        file_ids = set(connection.scalars(select(files.c.file_id).where(files.c.tenant == tenant)))
    scratch = (path for path in home.run.glob(f"{SCRATCH}/*") if path.name in file_ids)
    return TenantFolders(
        _existing(home.adapters, mine - others),
        _existing(home.adapters, mine & others),
        _existing(home.trainings, job_ids),
        tuple(sorted(scratch)),
    )


def delete_folders(folders: TenantFolders) -> int:
    """Delete a tenant's own folders; return how many there were."""
    for folder in folders.own:
        shutil.rmtree(folder)
    return len(folders.own)


def _existing(parent: Path, names: set[str]) -> tuple[Path, ...]:
    """Return the folders of these names right inside `parent`."""
    paths = (parent / name for name in sorted(names) if Path(name).name == name)
    return tuple(path for path in paths if path.is_dir() and not path.is_symlink())
