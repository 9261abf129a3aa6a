"""The supervised processes of one home: programs, their start, and leftover processes.

Exports nothing: `launch.py` imports this package at every start of a program and must stay light.
"""

__all__: list[str] = []
