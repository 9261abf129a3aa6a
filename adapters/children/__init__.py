"""Child processes that load torch: one protocol to start, follow, cancel and end them.

`protocol.py` says how parent and child speak, `parent.py` and `child.py` are the two sides.
Importing this loads no torch.
"""

from adapters.children.parent import TELEMETRY_OFF, ChildFailed, run_child
from adapters.children.protocol import Emit, Task

__all__ = ["TELEMETRY_OFF", "ChildFailed", "Emit", "Task", "run_child"]
