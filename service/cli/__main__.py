"""`python -m service.cli`: the same commands as `fingerpost`, from a bare checkout."""

from service.cli import app

app()
