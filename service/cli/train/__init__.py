"""`fingerpost train check|run|ls|show|watch|cancel|resume`.

With a gateway, of this home or named by `--url`, `run` is a job of its worker and outlives the
command; without one this process trains. Both keep the run's journal in the home, where the other
commands read it.
"""

from service.cli.train.commands import app

__all__ = ["app"]
