"""JSON objects whose keys somebody else chooses: attributes, progress, metrics, facts.

It knows no column; content with known keys has a model or a dataclass of its own.
"""

from collections.abc import Mapping

from pydantic import JsonValue

JsonObject = dict[str, JsonValue]
JsonMapping = Mapping[str, JsonValue]
