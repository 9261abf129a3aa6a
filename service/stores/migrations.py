"""Brings a database to the newest tables: `python -m service.stores.migrations`.

It knows Alembic; the steps themselves stand in `deploy/migrations/versions`.
"""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData

import adapters
import knowledge
from service.settings import CHECKOUT, load_settings
from service.stores import comparisons, data_checks, files, jobs, records, use_cases
from service.stores.database import open_database
from service.stores.tables import metadata

# The modules named above define the service's tables on import.
TABLES = (
    comparisons.comparisons,
    data_checks.data_checks,
    files.files,
    jobs.jobs,
    records.records,
    use_cases.use_cases,
)
METADATAS: tuple[MetaData, ...] = (metadata, knowledge.metadata, adapters.metadata)


def is_known(revision: str) -> bool:
    """Return whether this checkout has the step that a database was last brought to."""
    steps = ScriptDirectory(str(CHECKOUT / "deploy" / "migrations"))
    return revision in {step.revision for step in steps.walk_revisions()}


def upgrade(engine: Engine, to: str = "head") -> None:
    """Apply every step that the database has not seen; does nothing when there is none."""
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "deploy" / "migrations"))
    with engine.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def main() -> None:
    """Upgrade the configured database."""
    settings = load_settings()
    settings.paths.make()
    engine = open_database(settings.database_url)
    upgrade(engine)
    engine.dispose()


if __name__ == "__main__":
    main()
