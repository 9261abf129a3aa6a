"""What is configured where, what wins, and what is refused."""

from pathlib import Path

import pytest

from service.errors import InvalidSettings
from service.settings import ServerSettings, Settings, home_folder, load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that the environment names."""
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str) -> None:
    (home / "fingerpost.toml").write_text(text, encoding="utf-8")


def test_without_any_configuration_the_defaults_stand(home: Path) -> None:
    settings = load_settings()
    assert settings.home == home
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)
    assert settings.records.store_text is False


def test_the_file_beats_the_default(home: Path) -> None:
    write(home, "[server]\nport = 9001\n")
    assert load_settings().server.port == 9001


def test_the_environment_beats_the_file_key_by_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, "[server]\nport = 9001\nput_wait_s = 7.0\n")
    monkeypatch.setenv("FINGERPOST_SERVER__PORT", "9002")
    server = load_settings().server
    assert (server.port, server.put_wait_s) == (9002, 7.0)


def test_an_argument_beats_environment_and_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, "[server]\nport = 9001\n")
    monkeypatch.setenv("FINGERPOST_SERVER__PORT", "9002")
    assert load_settings(server=ServerSettings(port=9003)).server.port == 9003


def test_a_home_given_as_an_argument_is_the_one_whose_file_is_read(
    home: Path, tmp_path: Path
) -> None:
    write(home, "[server]\nport = 9001\n")
    other = tmp_path / "other"
    other.mkdir()
    write(other, "[server]\nport = 9004\n")
    assert Settings(home=other).server.port == 9004
    assert load_settings(home=other).server.port == 9004


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[sever]\nport = 1\n", "sever"),
        ("[server]\nprot = 1\n", "server.prot"),
        ("[knowledge]\nunknown_key = 1\n", "knowledge.unknown_key"),
        ("[server]\nport = 'many'\n", "server.port"),
        ("[server]\nport = 70000\n", "server.port"),
    ],
)
def test_a_wrong_key_in_the_file_is_refused_by_name(home: Path, text: str, named: str) -> None:
    write(home, text)
    with pytest.raises(InvalidSettings, match=named) as refused:
        load_settings()
    assert str(home / "fingerpost.toml") in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "named"),
    [
        ("FINGERPOST_SERVER__PROT", "server.prot"),
        ("FINGERPOST_SEVER__PORT", "FINGERPOST_SEVER__PORT"),
        ("FINGERPOST_TYPO", "FINGERPOST_TYPO"),
    ],
)
def test_a_wrong_name_in_the_environment_is_refused_by_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, named: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(InvalidSettings, match=named):
        load_settings()


def test_a_value_in_the_environment_that_does_not_fit_is_refused_by_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_SERVER__PORT", "many")
    with pytest.raises(InvalidSettings, match=r"server\.port"):
        load_settings()


def test_a_file_that_is_not_toml_is_named(home: Path) -> None:
    write(home, "[server\nport = 1\n")
    with pytest.raises(InvalidSettings, match=r"fingerpost\.toml is not TOML: .*line 1"):
        load_settings()


def test_a_list_in_the_environment_that_is_not_json_does_not_blame_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_SERVER", "port=1")
    with pytest.raises(InvalidSettings, match="JSON") as refused:
        load_settings()
    assert "TOML" not in str(refused.value)


def test_other_variables_are_not_ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINGER_POST", "1")
    monkeypatch.setenv("PORT", "1")
    assert load_settings().server.port == 8080


def test_the_home_comes_from_the_environment_or_lies_in_the_checkout(tmp_path: Path) -> None:
    assert home_folder({"FINGERPOST_HOME": str(tmp_path)}) == tmp_path
    assert home_folder({}).name == ".fingerpost"
    assert home_folder({"FINGERPOST_HOME": ""}) == home_folder({})


def test_paths_and_database_lie_in_the_home_unless_said_otherwise(home: Path) -> None:
    settings = load_settings()
    assert settings.database_url == f"sqlite:///{home}/state.db"
    assert settings.base_model_path == home / "models" / settings.engine.base_model
    write(home, '[state]\nurl = "postgresql+psycopg://u:secret@db/f"\n')
    settings = load_settings()
    assert settings.database_url == "postgresql+psycopg://u:secret@db/f"
    assert "secret" not in repr(settings)


def test_settings_do_not_change_once_read(home: Path) -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.server.port = 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 'many'", 'server.port: must be a whole number; it is "many"'),
        ("port = 70000", "server.port: must be at most 65535; it is 70000"),
        ("prot = 1", "server.prot: is not a known field"),
        ("cors_origins = '*'", 'server.cors_origins: must be a list; it is "*"'),
        ("public_url = 'a'", "server.public_url: 'a' is not an address"),
        ("tls_cert = 'a.pem'", "tls_cert and tls_key belong together"),
        ("tls_key = 'a.pem'", "tls_cert and tls_key belong together"),
        ("trusted_proxies = ['proxy']", "server.trusted_proxies: 'proxy' is not an address or a"),
        ("allowed_hosts = ['*']", "server.allowed_hosts: '*' is not a host name"),
        ("allowed_hosts = ['https://a.example']", "'https://a.example' is not a host name"),
        ("allowed_hosts = ['a.example:80']", "'a.example:80' is not a host name"),
        ("receive_timeout_s = 0", "server.receive_timeout_s: must be more than 0.0; it is 0"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(home: Path, text: str, told: str) -> None:
    write(home, f"[server]\n{text}\n")
    with pytest.raises(InvalidSettings) as refused:
        load_settings()
    assert told in str(refused.value)


def test_web_pages_are_configured_by_their_origins(home: Path) -> None:
    assert load_settings().server.cors_origins is None
    write(home, '[server]\ncors_origins = ["https://tools.example.com", "http://localhost:*"]\n')
    assert load_settings().server.cors_origins == (
        "https://tools.example.com",
        "http://localhost:*",
    )


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "tools.example.com",
        "https://tools.example.com/",
        "https://*.com",
        "https://a:b",
    ],
)
def test_what_is_no_origin_is_refused_in_words(home: Path, origin: str) -> None:
    write(home, f'[server]\ncors_origins = ["{origin}"]\n')
    with pytest.raises(InvalidSettings, match=r"server\.cors_origins.*is not an origin"):
        load_settings()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://answers.example.com", "https://answers.example.com"),
        ("https://answers.example.com/", "https://answers.example.com"),
        ("http://[::1]:8443/ask/", "http://[::1]:8443/ask"),
    ],
)
def test_the_address_of_clients_ends_with_no_slash(home: Path, written: str, read: str) -> None:
    assert load_settings().server.public_url is None
    write(home, f'[server]\npublic_url = "{written}"\n')
    assert load_settings().server.public_url == read


@pytest.mark.parametrize(
    "url",
    ["answers.example.com", "ftp://a", "https://", "https://a/?b=1", "https://u@a", "https://a b"],
)
def test_an_address_that_leads_nowhere_is_refused_in_words(home: Path, url: str) -> None:
    write(home, f'[server]\npublic_url = "{url}"\n')
    with pytest.raises(InvalidSettings, match=r"server\.public_url.*is not an address"):
        load_settings()


def test_certificate_and_key_lie_in_the_home_unless_their_path_is_whole(home: Path) -> None:
    assert load_settings().tls_files is None
    write(home, '[server]\ntls_cert = "tls/own.pem"\ntls_key = "/etc/own.key"\n')
    assert load_settings().tls_files == (home / "tls/own.pem", Path("/etc/own.key"))
