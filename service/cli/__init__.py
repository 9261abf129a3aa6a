"""The command line: one file per noun, each a client of the gateway over HTTP.

Only `processes` (up, down, status), `quickstart`, `audit`, `kb parse|eval|backup|restore`,
`adapters eval|import|merge`, `keys`, `tenants`, `users`, `policy`, `regret`,
`route eval|fit|fit-kinds`, `data check` without a use case, `data context --corpus`,
`data structure`, what `data annotate` and `data self-instruct` ask of the model server, `train`
without a gateway and `advise FACTS.yaml` act on this machine; everything else works with any
gateway named by `--url`.
"""

import typer

from service.cli import (
    adapters,
    ask,
    audit,
    compare,
    data,
    kb,
    processes,
    quickstart,
    train,
    use_cases,
)
from service.cli.access import keys
from service.cli.accounts import tenants, users
from service.cli.language import start_speaking
from service.cli.routing import advise, policy, regret, route, shadow, why
from service.cli.usage import FingerpostGroup

__all__ = ["app"]

app = typer.Typer(
    name="fingerpost",
    help="Choose between prompting, retrieval and fine-tuning for each question, and explain why.",
    cls=FingerpostGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(start_speaking)
app.command("up")(processes.up)
app.command("down")(processes.down)
app.command("status")(processes.status)
app.command("ask")(ask.ask)
app.command("advise")(advise.advise)
app.command("compare")(compare.compare)
app.command("regret")(regret.regret)
app.command("shadow")(shadow.shadow)
app.command("observe", hidden=True)(shadow.shadow)  # its name until 2026-11
app.command("why")(why.why)
app.command("audit")(audit.audit)
app.command("quickstart", hidden=True)(quickstart.quickstart)
app.add_typer(keys.app, name="keys")
app.add_typer(route.app, name="route")
app.add_typer(kb.app, name="kb")
app.add_typer(use_cases.app, name="use-case")
app.add_typer(data.app, name="data")
app.add_typer(train.app, name="train")
app.add_typer(adapters.app, name="adapters")
app.add_typer(policy.app, name="policy")
app.add_typer(tenants.app, name="tenants")
app.add_typer(users.app, name="users")
