"""All knowledge of a tenant deleted at once, from SQL and from the vector index.

It knows bases and their collections; it does not know what else a tenant has, and needs no
embedder.
"""

import logging
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select

from knowledge.errors import KnowledgeError
from knowledge.index.vectors import VectorIndex
from knowledge.sql import full_text
from knowledge.sql.history.erasing import Eraser
from knowledge.sql.tables import bases, indexes
from knowledge.sql.transaction import write_transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeletedKnowledge:
    """What was deleted; `left_collections` could not be dropped: the next reconcile drops them."""

    bases: int
    collections: int
    left_collections: tuple[str, ...]


def delete_tenant(database: Engine, index: VectorIndex | None, tenant: str) -> DeletedKnowledge:
    """Delete every base of a tenant with its documents, versions, words and vectors.

    Args:
        database: With this room's tables.
        index: The vector index; None where it cannot be reached.
        tenant: Whose.

    Raises:
        StorageFull: No room on the disk; nothing was deleted, and a retry may succeed.
    """
    with write_transaction(database) as connection:
        mine = list(connection.scalars(select(bases.c.pk).where(bases.c.tenant == tenant)))
        names = select(indexes.c.collection).where(indexes.c.tenant == tenant)
        collections = list(connection.scalars(names))
        for base_pk in mine:
            full_text.remove_base(connection, base_pk)  # its rows have no foreign key to follow
        connection.execute(delete(bases).where(bases.c.tenant == tenant))
    Eraser(database).erase(at_once=True)
    left = tuple(name for name in collections if not _drop(index, name))
    return DeletedKnowledge(len(mine), len(collections) - len(left), left)


def _drop(index: VectorIndex | None, collection: str) -> bool:
    if index is None:
        return False
    try:
        index.drop(collection)
    except KnowledgeError as exc:
        logger.warning("collection %s waits for reconcile to be dropped: %s", collection, exc)
        return False
    return True
