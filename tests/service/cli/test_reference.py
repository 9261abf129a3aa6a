"""`service/cli/README.md` lists the commands as they are."""

from service.cli.reference import README, build_reference


def test_the_list_of_commands_is_the_command_tree() -> None:
    """Make it again with `python -m tests.references`."""
    assert README.read_text(encoding="utf-8") == build_reference()


def test_every_command_and_option_says_what_it_is() -> None:
    unexplained = [line for line in build_reference().splitlines() if line.endswith("`: .")]
    assert unexplained == []


def test_hidden_commands_are_not_listed() -> None:
    assert "fingerpost observe" not in build_reference()
    assert "## fingerpost shadow" in build_reference()
