"""The base of what is read of a reply."""

from pydantic import ConfigDict

from service.api.schemas.shapes import Reply


class Reading(Reply):
    """Built when it is first used: a command reads few kinds of replies, and starts sooner."""

    model_config = ConfigDict(defer_build=True)
