"""`fingerpost data`: training rows from the command line."""

from service.cli.data import clean, context
from service.cli.data.check import app

__all__ = ["app"]

app.command("context")(context.context)
app.command("clean")(clean.clean_rows)
