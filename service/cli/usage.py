"""What happens when a command line is invalid: exit code 2, and JSON where JSON was asked for.

It knows typer's group; it does not know any command.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from service.cli.output import ToldCode, problem

USAGE = 2


class FingerpostGroup(TyperGroup):
    """The top command: keeps the promise of `--json` even for a mistyped option."""

    def main(  # the whole signature of the parent, so that callers may use any of it
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; see the parent for the arguments."""
        words = list(sys.argv[1:] if args is None else args)
        wants_json = "--json" in words
        try:
            return super().main(
                words, prog_name, complete_var, standalone_mode, windows_expand_args, **extra
            )
        except SystemExit as exc:
            if exc.code == USAGE and wants_json and not isinstance(exc.code, ToldCode):
                message = f"The command line is invalid: {' '.join(words)}"
                body = problem(message, code="usage", hint="Add --help to see the options.")
                typer.echo(json.dumps(body, ensure_ascii=False))
            raise
