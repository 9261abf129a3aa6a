"""The supervised processes of one home: what runs, how it starts, what may outlive it.

Re-exports nothing: `launch.py` passes here at every start of a program and must stay light.
"""

__all__: list[str] = []
