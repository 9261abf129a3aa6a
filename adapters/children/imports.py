"""Imports the libraries of a child sooner: some are left out, and nothing is collected meanwhile.

With TRL, PEFT and transformers: 4.3 instead of 6.7 processor seconds (DECISIONS.md, "What a child
does not import"). Knows Python's import system; knows no library.
"""

import functools
import gc
import importlib
import importlib.metadata
import sys
from collections.abc import Sequence
from types import ModuleType


def leave_out(libraries: Sequence[str]) -> None:
    """Let libraries look as if they were not installed; call it before they are imported."""
    for name in libraries:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's own way to say so
    # transformers and TRL both ask what is installed: half a second each.
    cached = functools.cache(importlib.metadata.packages_distributions)
    importlib.metadata.packages_distributions = cached


def import_quickly(module: str) -> ModuleType:
    """Import a module without garbage collection, which finds nothing among what is imported."""
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.freeze()
        gc.enable()
