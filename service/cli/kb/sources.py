"""How a sync names its folder, so that it finds its own documents again and no others.

It knows this machine and paths; it does not know what is deleted. The name is the machine and the
path without links: however a folder is written, it is the same, and the same path on another
machine is another. A folder that was moved, or that several machines share, is named by `--source`.
"""

import hashlib
import platform
import uuid
from pathlib import Path

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_MARK_CHARS = 8  # of a hash: enough to tell machines of one host name apart


def source_of(folder: Path) -> str:
    """Return the name of a folder, there or not: `host#mark:/path`."""
    mark = hashlib.sha256(_machine_id().encode()).hexdigest()[:_MARK_CHARS]
    return f"{platform.node()}#{mark}:{folder.resolve().as_posix()}"


def _machine_id() -> str:
    for file in _MACHINE_IDS:
        try:
            text = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if text:
            return text
    return f"{uuid.getnode():x}"
