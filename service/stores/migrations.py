"""Upgrades a database to the newest schema: `python -m service.stores.migrations`.

It knows Alembic; the migrations themselves are in `deploy/migrations/versions`.
"""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

import adapters
import knowledge
from service.settings import CHECKOUT, load_settings
from service.stores import comparisons, data_checks, files, jobs, records, use_cases
from service.stores.access import api_keys, signing
from service.stores.database import Database, open_database
from service.stores.requests import audit_log, first_replies
from service.stores.review import items
from service.stores.tables import metadata
from service.stores.tenancy import tenants

# Importing these modules registers the service's tables.
TABLES = (
    api_keys.api_keys,
    signing.signing_secrets,
    comparisons.comparisons,
    data_checks.data_checks,
    files.files,
    jobs.jobs,
    records.records,
    items.review_items,
    audit_log.audit_log,
    first_replies.first_replies,
    use_cases.use_cases,
    tenants.tenants,
)
METADATAS: tuple[MetaData, ...] = (metadata, knowledge.metadata, adapters.metadata)


def is_known(revision: str) -> bool:
    """Return whether this checkout has the migration that a database is at."""
    steps = ScriptDirectory(str(CHECKOUT / "deploy" / "migrations"))
    return revision in {step.revision for step in steps.walk_revisions()}


def upgrade(database: Database, to: str = "head") -> None:
    """Apply every migration that the database lacks; none is no error."""
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "deploy" / "migrations"))
    with database.execution_options(write=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def main() -> None:
    """Upgrade the configured database."""
    settings = load_settings()
    settings.paths.make()
    database = open_database(settings.database_url)
    upgrade(database)
    database.dispose()


if __name__ == "__main__":
    main()
