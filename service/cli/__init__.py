"""The command line: one file per noun, each a client of the gateway over HTTP.

Only `processes` (up, down, status), `quickstart`, `evaluation`, `verdicts`, `folders`, `policy`,
`regret`, `route eval|fit`, `data check` without a use case, `data context --corpus`, `train`
without a gateway and `advise FACTS.yaml` act on this machine; everything else works against any
gateway named by `--url`.
"""

import typer

from service.cli import (
    adapters,
    advise,
    ask,
    backup,
    compare,
    context_rows,
    data,
    evaluation,
    folders,
    history,
    indexes,
    knowledge_bases,
    observe,
    policy,
    processes,
    quickstart,
    regret,
    route,
    sync,
    train,
    use_cases,
    verdicts,
    why,
)
from service.cli.usage import FingerpostGroup

__all__ = ["app"]

app = typer.Typer(
    name="fingerpost",
    help="Which of four strategies answers this, and why? Starts, asks, feeds, trains, compares.",
    cls=FingerpostGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(processes.up)
app.command("down")(processes.down)
app.command("status")(processes.status)
app.command("ask")(ask.ask)
app.command("advise")(advise.advise)
app.command("compare")(compare.compare)
app.command("regret")(regret.regret)
app.command("observe")(observe.observe)
app.command("why")(why.why)
app.command("quickstart", hidden=True)(quickstart.quickstart)
knowledge_bases.app.command("eval")(evaluation.evaluate)
knowledge_bases.app.command("sync")(sync.sync)
knowledge_bases.app.command("history")(history.history)
knowledge_bases.app.command("check")(indexes.check)
knowledge_bases.app.command("rebuild")(indexes.rebuild)
knowledge_bases.app.command("reindex")(indexes.reindex)
knowledge_bases.app.command("backup")(backup.backup)
knowledge_bases.app.command("restore")(backup.restore)
app.add_typer(route.app, name="route")
adapters.app.command("eval")(verdicts.evaluate)
adapters.app.command("import")(folders.take_in)
adapters.app.command("merge")(folders.merge)
app.add_typer(knowledge_bases.app, name="kb")
app.add_typer(use_cases.app, name="use-case")
data.app.command("context")(context_rows.context)
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")
app.add_typer(adapters.app, name="adapters")
app.add_typer(policy.app, name="policy")
