"""`fingerpost adapters`: trained adapters from the command line."""

from service.cli.adapters import evaluation, importing
from service.cli.adapters.serving import app

__all__ = ["app"]

app.command("eval")(evaluation.evaluate)
app.command("import")(importing.import_adapter)
app.command("merge")(importing.merge)
