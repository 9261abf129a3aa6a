"""A database with the service's tables, its jobs and their leases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from service.stores.database import Database, create_tables, open_database
from service.stores.jobs import Jobs, jobs
from service.stores.leases import Leases
from service.stores.tables import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def queue(database: Database) -> Jobs:
    return Jobs(database)


@pytest.fixture
def leases(database: Database) -> Leases:
    return Leases(database, lease_s=15.0, max_attempts=3)


@pytest.fixture
def leases_run_out(database: Database) -> Callable[[], None]:
    """Return what lets every lease run out, as if no worker had renewed it."""

    def run_out() -> None:
        with database.execution_options(write=True).begin() as connection:
            connection.execute(update(jobs).values(lease_until=1.0))

    return run_out
