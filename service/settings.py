"""All configuration, read once at the entry point and passed on as frozen values.

The only reader of the environment. Precedence: argument, environment, `fingerpost.toml`,
default. Unknown keys are refused, in the file and in the environment.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from adapters import EMBEDDERS, AdaptersConfig
from knowledge import KnowledgeConfig
from router import RouterConfig
from service.errors import InvalidSettings
from service.home import Home
from service.home_models import EARLIER, read_models
from service.limits.settings import LimitSettings
from service.messages.faults import reason_of
from service.network.addresses import require_network

VERSION = "0.1.0"  # as in pyproject.toml
CHECKOUT = Path(__file__).resolve().parent.parent
ENV_PREFIX = "FINGERPOST_"
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
ORIGIN = re.compile(rf"^[A-Za-z][A-Za-z0-9+.-]*://{_HOST}(:(\d{{1,5}}|\*))?$")
PUBLIC_URL = re.compile(rf"^https?://{_HOST}(:\d{{1,5}})?(/[A-Za-z0-9._~%/-]*)?$")
LANGUAGE_VARIABLE = f"{ENV_PREFIX}LANG"  # of commands, as their --lang
KEY_VARIABLE = f"{ENV_PREFIX}API_KEY"  # of commands, as clients of a gateway


class ServerSettings(BaseModel):
    """The gateway, the only process that clients reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    max_body_bytes: int = Field(default=20 * 2**20, gt=0)  # a 10-page PDF is about 1 MB
    put_wait_s: float = Field(default=2.0, ge=0)  # how long PUT waits before it replies 202
    cors_origins: tuple[str, ...] | None = None  # whose pages may call; None: this machine's
    public_docs: bool = False  # whether `/`, `/docs` and `/openapi.json` need no API key
    public_url: str | None = None  # where clients reach it, if not where it listens
    tls_cert: Path | None = None  # PEM, with the chain below it; a relative path is in the home
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()  # whose X-Forwarded-… are believed
    allowed_hosts: tuple[str, ...] = ()  # names it answers to besides those of loopback
    receive_timeout_s: float = Field(
        default=30.0, gt=0
    )  # of a handshake, a head, 500 bytes/s of a body

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_named(cls, origins: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for origin in origins or ():
            if not ORIGIN.match(origin):
                raise ValueError(
                    f"{origin!r} is not an origin: write scheme and host, such as "
                    "https://tools.example.com, with `:*` for any port; `*` alone is refused, "
                    "since without API keys every web page could call"
                )
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            require_network(proxy)
        return proxies

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not re.fullmatch(_HOST, host):
                raise ValueError(
                    f"{host!r} is not a host name: write it without scheme, port and `*`, such as "
                    "answers.example.com or [2001:db8::1]"
                )
        return hosts

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: set both, or neither")
        return self

    @field_validator("public_url")
    @classmethod
    def _url_is_whole(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not PUBLIC_URL.match(url):
            raise ValueError(
                f"{url!r} is not an address of http or https, such as "
                "https://answers.example.com or https://example.com/answers"
            )
        return url.rstrip("/")


class EngineSettings(BaseModel):
    """The model server: our own vLLM child, or any OpenAI-compatible server by `url`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = None
    is_local: bool | None = None  # with `url`: whether it runs on the operator's own machines
    api_key: SecretStr | None = None
    send_cache_salt: bool | None = None  # None: to our own vLLM; other servers may refuse it
    base_model: str = EARLIER.base_model  # of a new home: as its models.json says
    model_path: Path | None = None  # default: models/<base_model> in the home
    max_model_len: int = Field(default=4096, gt=0)
    max_loras: int = Field(default=2, ge=1)
    max_cpu_loras: int = Field(default=8, ge=1)
    cpu_kv_cache_gib: int = Field(default=2, ge=1)  # worker about 3.2 GB with 2 on 135M
    tool_call_parser: str | None = None  # of a model trained to call functions: vLLM's name for it
    extra_flags: tuple[str, ...] = ()
    connect_timeout_s: float = Field(default=2.0, gt=0)
    first_token_timeout_s: float = Field(default=300.0, gt=0)  # a long prompt on a CPU
    idle_timeout_s: float = Field(default=60.0, gt=0)  # longest pause between tokens after it
    start_timeout_s: float = Field(default=600.0, gt=0)
    max_connections: int = Field(default=512, ge=1)

    @property
    def runs_locally(self) -> bool | None:
        """Whether no text leaves the operator's machines; None if that is not configured."""
        return True if self.url is None else self.is_local

    @property
    def takes_cache_salt(self) -> bool:
        """Whether the server keeps the cached prompts of different tenants apart."""
        return self.url is None if self.send_cache_salt is None else self.send_cache_salt


class StateSettings(BaseModel):
    """The SQL database."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = None  # default: SQLite in the home


class IndexSettings(BaseModel):
    """A Chroma server to use; without a host one is started as a child process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = None
    port: int = Field(default=8000, ge=1, le=65535)


class RecordSettings(BaseModel):
    """What is stored of each request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    store_text: bool = False
    keep_days: int = Field(default=30, ge=1)


class JobSettings(BaseModel):
    """The worker and the leases of its jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    poll_s: float = Field(default=0.1, gt=0)
    lease_s: float = Field(default=15.0, gt=0)  # a dead worker's job is claimed again after this
    max_attempts: int = Field(default=3, ge=1)


class Settings(BaseSettings):
    """Everything that can be configured, one section for each part."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, env_nested_delimiter="__"
    )

    home: Path
    server: ServerSettings = ServerSettings()
    engine: EngineSettings = EngineSettings()
    state: StateSettings = StateSettings()
    index: IndexSettings = IndexSettings()
    knowledge: KnowledgeConfig = KnowledgeConfig()
    adapters: AdaptersConfig = AdaptersConfig()
    records: RecordSettings = RecordSettings()
    jobs: JobSettings = JobSettings()
    limits: LimitSettings = LimitSettings()
    router: RouterConfig = RouterConfig()
    policy: Path | None = None  # default: the policy of router/
    default_use_case: str | None = None

    @property
    def paths(self) -> Home:
        """The home folder with its parts."""
        return Home(self.home)

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """Certificate and key, or None where the gateway speaks plain HTTP."""
        cert, key = self.server.tls_cert, self.server.tls_key
        return None if cert is None or key is None else (self.home / cert, self.home / key)

    @property
    def policy_file(self) -> Path | None:
        """The policy in force, or None for the default one."""
        return (
            self.policy if self.router.policy_file is None else self.home / self.router.policy_file
        )

    @property
    def shadow_policy_file(self) -> Path | None:
        """The shadow policy's file, if there is one; a bare name is a file in the home."""
        return None if self.router.observe is None else self.home / self.router.observe

    @property
    def database_url(self) -> str:
        """SQLAlchemy address of the database."""
        if self.state.url is not None:
            return self.state.url.get_secret_value()
        return f"sqlite:///{self.paths.database}"

    @property
    def base_model_path(self) -> Path:
        """Folder of the base model that the engine loads."""
        return self.engine.model_path or self.paths.models / self.engine.base_model

    @property
    def embedder_path(self) -> str:
        """Folder or hub id of the embedder."""
        return self.knowledge.embedder or str(self.paths.models / EARLIER.embedder)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, the home's file, and its models."""
        home = Home(Path(init_settings().get("home") or home_folder()))
        written = TomlConfigSettingsSource(settings_cls, home.config_file)
        return init_settings, env_settings, written, _ModelsSource(settings_cls, home)


class _ModelsSource(PydanticBaseSettingsSource):
    """The embedded models of a home, where nothing else names a model."""

    def __init__(self, settings_cls: type[BaseSettings], home: Home) -> None:
        super().__init__(settings_cls)
        self._home = home

    def __call__(self) -> dict[str, Any]:
        models = read_models(self._home)
        if models is None:
            return {}
        found: dict[str, Any] = {"engine": {"base_model": models.base_model}}
        if not self.current_state.get("knowledge", {}).get("embedder"):
            found["knowledge"] = {
                "embedder": str(self._home.models / models.embedder),
                "embedder_languages": EMBEDDERS[models.embedder].languages,
            }
        return found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # of sources that are read field by field


def home_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return `$FINGERPOST_HOME`, or `.fingerpost` in the checkout."""
    return Path(environment.get(f"{ENV_PREFIX}HOME") or CHECKOUT / ".fingerpost").resolve()


def load_settings(**arguments: Any) -> Settings:
    """Return the settings.

    Raises:
        InvalidSettings: A key is unknown or a value does not fit; the message names each.
    """
    known = {name.upper() for name in Settings.model_fields}
    for variable in os.environ:
        section = variable.removeprefix(ENV_PREFIX).split("__")[0]
        of_commands = variable in (LANGUAGE_VARIABLE, KEY_VARIABLE)
        is_ours = variable.startswith(ENV_PREFIX) and not of_commands
        if is_ours and section not in known:
            raise InvalidSettings(
                f"{variable} does not name a section; the sections are {sorted(known)}."
            )
    arguments.setdefault("home", home_folder())
    file = Home(Path(arguments["home"])).config_file
    try:
        return Settings(**arguments)
    except TOMLDecodeError as exc:
        raise InvalidSettings(f"{file} is not TOML: {exc}.") from exc
    except SettingsError as exc:
        raise InvalidSettings(
            f"{exc}: in the environment, lists and tables are written as JSON."
        ) from exc
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {reason_of([fault])}"
            for fault in exc.errors()
        )
        raise InvalidSettings(
            f"The configuration is not valid: {faults}. Correct {file} or the "
            f"{ENV_PREFIX}<SECTION>__<KEY> variables."
        ) from exc
    except UnicodeDecodeError as exc:
        raise InvalidSettings(f"{file} is not UTF-8: {exc}.") from exc


def client_key() -> str | None:
    """Return the API key that commands send to the gateway, if one is set."""
    return os.environ.get(KEY_VARIABLE) or None


def child_environment(**added: str) -> dict[str, str]:
    """Return this process's environment with `added`, for a child process; not the user's key."""
    inherited = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
    return {**inherited, **added}
