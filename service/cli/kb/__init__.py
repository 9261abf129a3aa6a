"""`fingerpost kb`: knowledge bases from the command line."""

from service.cli.kb import adding, backup, evaluation, history, indexes, parse, sync, versions
from service.cli.kb.bases import app

__all__ = ["app"]

app.command("add")(adding.add)
app.command("parse")(parse.parse)
app.command("eval")(evaluation.evaluate)
app.command("sync")(sync.sync)
app.command("history")(history.history)
app.command("diff")(versions.diff)
app.command("rollback")(versions.rollback)
app.command("stale")(history.stale)
app.command("check")(indexes.check)
app.command("rebuild")(indexes.rebuild)
app.command("reindex")(indexes.reindex)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
