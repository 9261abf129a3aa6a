"""The bodies of `/use_cases`; a use case is sent and returned as it is stored."""

from typing import Literal

from service.api.schemas.shapes import Reply


class DeletedUseCaseReply(Reply):
    """A deleted use case."""

    id: str
    object: Literal["use_case"] = "use_case"
    deleted: Literal[True] = True
