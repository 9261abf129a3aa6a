"""`fingerpost advise FACTS.yaml`: what to build, what is missing, what it costs.

For a facts file the policy of this home decides; for a use case the gateway, which also knows
what was measured.
"""

from pathlib import Path
from typing import Annotated

import typer

from router import (
    AdviceFormat,
    default_policy,
    load_policy,
    read_case,
)
from router import advise as give_advice
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway
from service.cli.language import LangOption, use_language
from service.cli.output import CommandFailed, JsonOption, UrlOption, command_output
from service.messages.catalogue import Language
from service.routing.advice import advice_text
from service.settings import load_settings


def advise(
    facts: Annotated[
        Path | None,
        typer.Argument(metavar="FACTS.yaml", help="Facts as YAML, one per line: name: value."),
    ] = None,
    use_case: Annotated[
        str | None,
        typer.Option(
            "--use-case", "-u", help="Id of a use case of the gateway, instead of a file."
        ),
    ] = None,
    lang: LangOption = None,
    form: Annotated[
        AdviceFormat, typer.Option("--format", help="Markdown, an HTML page or JSON.")
    ] = AdviceFormat.MD,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Advise on a use case: strategy, reasons, missing facts, costs, risks and next steps."""
    as_json = as_json or form is AdviceFormat.JSON
    form = AdviceFormat.JSON if as_json else form
    language = use_language(lang)
    with command_output(as_json):
        if (facts is None) == (use_case is None):
            message = "Give either a facts file or --use-case."
            raise CommandFailed(message, code="invalid_request")
        if use_case is not None:
            text = _ask_gateway(use_case, language, form, url)
        else:
            assert facts is not None
            policy_file = load_settings().policy
            policy = default_policy() if policy_file is None else load_policy(policy_file)
            text = advice_text(give_advice(read_case(facts), policy), language, form)
        typer.echo(text, nl=False)


def _ask_gateway(use_case: str, language: Language, form: AdviceFormat, url: str | None) -> str:
    body: JsonObject = {"use_case": use_case, "lang": language, "format": form.value}
    return Gateway.find(url).text("POST", "/advise", body=body)
