"""`fingerpost policy check|explain|diff`: policy files checked, explained and compared.

It reads local files and needs no gateway. What a policy means is known to `router`.
"""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from router import (
    CHECK_WORK,
    DEFAULT_POLICY_FILE,
    CaseFailure,
    Cases,
    Language,
    RouterError,
    Situation,
    cases_file_of,
    check_cases,
    decide,
    describe_policy,
    diff_decisions,
    diff_rules,
    diff_thresholds,
    explain_decision,
    explain_policy,
    find_rule,
    find_unexpected,
    load_cases,
    load_policy,
    read_facts,
    rules_of,
    sample_situations,
)
from service.cli.language import LangOption, use_language
from service.cli.output import CommandFailed, JsonOption, command_output
from service.messages.catalogue import in_script
from service.messages.spoken import say
from service.settings import load_settings

app = typer.Typer(help="Check, explain and compare policy files.", no_args_is_help=True)

_MOST_SHOWN = 20  # changed decisions on a terminal; --json prints all

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Policy file (default: the policy in force).", dir_okay=False
    ),
]
CasesOption = Annotated[
    Path | None,
    typer.Option("--cases", help="Test cases (default: <policy>_cases.yaml next to the policy)."),
]
FactsOption = Annotated[
    Path | None,
    typer.Option("--facts", help="Facts as YAML, or as JSON Lines such as recorded decisions."),
]


@app.command("check")
def check(
    file: FileArgument = None, cases: CasesOption = None, as_json: JsonOption = False
) -> None:
    """Validate a policy and run its test cases."""
    with command_output(as_json) as output:
        path = _in_force(file)
        policy = load_policy(path, work=CHECK_WORK)
        beside = cases or cases_file_of(path)
        tests = load_cases(beside) if cases is not None or beside.is_file() else None
        failures = [] if tests is None else check_cases(tests, policy)
        document = {
            "file": str(path),
            "version": policy.version,
            "passed": not failures,
            "cases_file": None if tests is None else str(beside),
            "cases": 0 if tests is None else len(tests.rows) + len(tests.settlements),
            "failures": [_failure(failure) for failure in failures],
            "warnings": [
                {"file": w.file, "line": w.line, "key": w.key, "reason": w.reason}
                for w in policy.warnings
            ],
            "untested": None if tests is None else find_unexpected(tests, policy),
        }
        warned = [str(warning) for warning in policy.warnings]
        output.result(document, lambda out: _print_check(out, document, warned, str(beside)))
    if failures:
        raise typer.Exit(1)


@app.command("explain")
def explain(
    file: FileArgument = None,
    facts: FactsOption = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Explain this rule only.")] = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a policy in words, or the decision on --facts with every rule's verdict."""
    language = use_language(lang)
    words = Language(language[:2])
    with command_output(as_json) as output:
        policy = load_policy(_in_force(file))
        if facts is not None:
            decisions = [decide(each.facts, policy) for each in _read_situations(facts)]
            documents = [decision.as_dict() for decision in decisions]
            told = chain.from_iterable(explain_decision(each, words) for each in decisions)
            single = documents[0] if len(documents) == 1 else {"data": documents}
            output.result(single, in_script("\n".join(told), language))
            return
        rules = list(rules_of(policy))
        if rule is not None:
            found = find_rule(policy, rule)
            if found is None:
                raise CommandFailed(
                    f"The policy {policy.version} has no rule {rule!r}.",
                    code="unknown_rule",
                    hint="`fingerpost policy explain` without --rule lists all rules.",
                    status=404,
                )
            rules = [found]
        lines = explain_policy(policy, rules, words)
        output.result(describe_policy(policy, rules), in_script("\n".join(lines), language))


@app.command("diff")
def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="The old policy file.", dir_okay=False)
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The new policy file.", dir_okay=False)
    ],
    facts: FactsOption = None,
    cases: CasesOption = None,
    samples: Annotated[
        int,
        typer.Option(
            "--samples", min=0, help="Compare decisions on this many random sets of facts."
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show how NEW differs from OLD, and which decisions change.

    Decisions are compared on --samples, --facts or --cases, or on the test cases next to NEW or
    OLD.
    """
    with command_output(as_json) as output:
        before, after = load_policy(old), load_policy(new)
        beside = [p for p in map(cases_file_of, (new, old, DEFAULT_POLICY_FILE)) if p.is_file()]
        source = str(facts or cases or beside[0])
        if samples:
            source = f"{samples} random facts"
            situations = sample_situations(before, after, count=samples)
        elif facts is not None:
            situations = list(_read_situations(facts))
        else:
            situations = list(_situations(load_cases(Path(source))))
        document = {
            "old": before.version,
            "new": after.version,
            "rules": diff_rules(before, after),
            "thresholds": diff_thresholds(before, after),
            "decisions": {
                "source": source,
                "compared": len(situations),
                "changed": diff_decisions(before, after, situations),
            },
        }
        output.result(document, lambda out: _print_diff(out, document))


def _in_force(file: Path | None) -> Path:
    return file or load_settings().policy_file or DEFAULT_POLICY_FILE


def _read_situations(file: Path) -> Iterator[Situation]:
    """Yield the facts of a YAML file, or of every line of a JSON lines file.

    Raises:
        CommandFailed: It cannot be read or names an unknown fact; the message has the line.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".jsonl":
            yield Situation(file.name, read_facts(yaml.safe_load(text)))
            return
    except (OSError, ValueError, yaml.YAMLError, RouterError) as exc:
        raise _bad_facts(f"{file}: {exc}") from exc
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                row = json.loads(line)
                inner = row.get("facts", row) if isinstance(row, dict) else row
                name = str(row.get("id", number)) if inner is not row else str(number)
                yield Situation(name, read_facts(inner))
            except (ValueError, RouterError) as exc:
                raise _bad_facts(f"{file}, line {number}: {exc}") from exc


def _bad_facts(message: str) -> CommandFailed:
    return CommandFailed(message, code="invalid_facts", hint=say("command.facts"))


def _situations(cases: Cases) -> Iterator[Situation]:
    for row in cases.rows:
        yield Situation(row.id, row.facts(), row.asked)


def _failure(failure: CaseFailure) -> dict[str, Any]:
    return {
        "case": failure.case,
        "expected": dict(failure.expected),
        "got": dict(failure.got),
        "why": [because.as_dict() for because in failure.why],
    }


def _print_check(out: Console, document: dict[str, Any], warned: list[str], beside: str) -> None:
    for warning in warned:
        out.print(f"warning: {warning}", markup=False)
    for failure in document["failures"]:
        out.print(f"FAILED {failure['case']}", markup=False)
        for key, expected in failure["expected"].items():
            out.print(f"  {key}: expected {expected}, got {failure['got'][key]}", markup=False)
        for because in failure["why"]:
            out.print(f"  why: {because['en']} ({because['zh']})", markup=False)
    for verdict, rules in (document["untested"] or {}).items():
        if rules:
            out.print(f"no case expects {verdict}: {', '.join(rules)}", markup=False)
    if document["cases_file"] is None:
        out.print(f"no policy tests: {beside} does not exist", markup=False)
    verdict = "passed" if document["passed"] else f"{len(document['failures'])} failed"
    out.print(f"{document['version']}: {document['cases']} cases, {verdict}", markup=False)


def _print_diff(out: Console, document: dict[str, Any]) -> None:
    out.print(f"{document['old']} -> {document['new']}", markup=False)
    for kind, noun in (("rules", "rule"), ("thresholds", "threshold")):
        for word in ("added", "removed"):
            for name in document[kind][word]:
                out.print(f"{word} {noun} {name}", markup=False)
        for name, fields in document[kind]["changed"].items():
            out.print(f"changed {noun} {name}", markup=False)
            for field, change in fields.items():
                out.print(f"  {field}: {change['from']} -> {change['to']}", markup=False)
    decisions = document["decisions"]
    changed = decisions["changed"]
    out.print(
        f"{len(changed)} of {decisions['compared']} decisions change ({decisions['source']})",
        markup=False,
    )
    for each in changed[:_MOST_SHOWN]:
        was, now = (_outcome(each[side]) for side in ("from", "to"))
        out.print(f"  {each['case']}: {was} -> {now}", markup=False)
    if len(changed) > _MOST_SHOWN:
        out.print(
            f"  and {len(changed) - _MOST_SHOWN} more; --json prints all of them", markup=False
        )


def _outcome(told: dict[str, Any]) -> str:
    return f"{told['strategy']} ({told['rule']}{', conflict' if told['conflict'] else ''})"
