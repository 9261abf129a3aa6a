"""`fingerpost data`: training rows from the command line."""

from service.cli.data import clean, context, convert, filtering, making, review, run, versions
from service.cli.data.check import app

__all__ = ["app"]

app.command("context")(context.context)
app.command("run")(run.run)
app.command("versions")(versions.versions)
app.command("convert")(convert.convert)
app.command("filter")(filtering.filter_data)
app.command("structure")(making.structure)
app.command("annotate")(making.annotate)
app.command("self-instruct")(making.self_instruct)
app.command("sample")(review.sample)
app.add_typer(review.app, name="review")
app.command("clean")(clean.clean_rows)
