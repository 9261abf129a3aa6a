"""`fingerpost data`: training rows from the command line."""

from service.cli.data import context, convert, filtering
from service.cli.data.check import app

__all__ = ["app"]

app.command("context")(context.context)
app.command("convert")(convert.convert)
app.command("filter")(filtering.filter_data)
