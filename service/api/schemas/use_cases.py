"""The bodies of `/use_cases`; a use case is sent and returned as it is stored."""

from typing import Literal

from pydantic import Field

from service.api.schemas.shapes import Reply
from service.stores.use_cases import UseCase


class SavedUseCaseReply(UseCase):
    """A use case as it was saved."""

    warnings: list[str] = Field(description="What it lacks to answer.")


class DeletedUseCaseReply(Reply):
    """A deleted use case."""

    id: str
    object: Literal["use_case"] = "use_case"
    deleted: Literal[True] = True
