"""The bodies of `/use_cases`; a use case itself is read and told as it is kept."""

from typing import Literal

from service.api.schemas.shapes import Reply


class DeletedUseCaseReply(Reply):
    """A use case that is gone."""

    id: str
    object: Literal["use_case"] = "use_case"
    deleted: Literal[True] = True
