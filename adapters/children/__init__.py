"""Child processes that load torch: one way to start, follow and end them.

Importing this loads no torch; `child.py` is what runs in the child.
"""

from adapters.children.parent import TELEMETRY_OFF, ChildFailed, run_job

__all__ = ["TELEMETRY_OFF", "ChildFailed", "run_job"]
