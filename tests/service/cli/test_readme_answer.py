"""The answer that the README shows has the decision that the demo leads to."""

import re

from typer.testing import CliRunner

from service.cli import app
from service.cli.kb.folders import find_files
from service.cli.use_cases import read_mapping
from service.settings import CHECKOUT
from tests.service.conftest import Running

DEMO = CHECKOUT / "deploy" / "demo"


def reasons(text: str) -> list[str]:
    """Return the lines of the strategy, its reason and what it was preferred to."""
    return [
        line
        for line in text.splitlines()
        if re.match(r"strategy |  because |  not |  preferred to ", line)
    ]


def test_the_answer_in_the_readme_has_the_decision_of_the_demo(running: Running) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r'\$ \.venv/bin/fingerpost ask "(.+?)"\n(.+?)```', readme, flags=re.DOTALL)
    assert shown is not None
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    for name, file in find_files([DEMO / "handbook"]).files.items():
        assert running.put_document(file.read_text(encoding="utf-8"), name).status_code == 200
    use_case = dict(read_mapping(DEMO / "use_case.yaml"))
    assert running.client.put("/use_cases/demo", json=use_case).status_code == 200
    running.publish()
    command = ["ask", shown[1], "--use-case", "demo", "--url", str(running.client.base_url)]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    assert reasons(told.stdout) == reasons(shown[2])
    assert len(reasons(shown[2])) > 2
