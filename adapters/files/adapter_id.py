"""How an adapter is named: `<task>@<sha8>`, by what it is for and what is in it.

Knows digests and names; knows no registry.
"""

SHA_CHARS = 8  # of SHA-256: two of 10,000 adapters of a task are alike by chance in 1 of 86 cases


def make_adapter_id(task: str, sha256: str) -> str:
    """Return the id of an adapter whose weights and settings have this digest (hex)."""
    return f"{task}@{sha256[:SHA_CHARS]}"


def task_of(adapter_id: str) -> str:
    """Return the task in an id; the whole name where it is none."""
    return adapter_id.rpartition("@")[0] or adapter_id


def is_named_by(adapter_id: str, sha256: str) -> bool:
    """Say whether an id has a task and belongs to the content with this digest (hex)."""
    task, _, sha8 = adapter_id.rpartition("@")
    return bool(task) and sha8 == sha256[:SHA_CHARS]
