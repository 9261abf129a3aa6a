"""Who runs a home: recorded while it runs, and one start at a time.

It knows `run/up.json` and `run/up.lock`; it starts and ends nothing.
"""

import fcntl
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from service.errors import ProcessFailed
from service.home import Home, gateway_url
from service.network.tls import verification
from service.settings import CHECKOUT
from service.supervision.leftovers import Identity, is_alive


class HomeInUse(ProcessFailed):
    """Another checkout, or another port, runs this home."""

    code = "home_in_use"
    hint = "`fingerpost down` ends it; FINGERPOST_HOME names another home."


@dataclass(frozen=True, slots=True)
class Instance:
    """The supervisor that runs a home, from which checkout and on which port."""

    supervisor: Identity
    checkout: str
    host: str
    port: int
    tls_cert: str = ""  # path of the gateway's certificate; empty: it speaks plain HTTP

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return gateway_url(self.host, self.port, scheme="https" if self.tls_cert else "http")

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """What its certificate is checked by, as httpx takes it."""
        return verification(Path(self.tls_cert) if self.tls_cert else None)


def read_instance(home: Home) -> Instance | None:
    """Return who runs the home now, or None if nothing does."""
    try:
        fields = json.loads(_file(home).read_text())
        instance = Instance(**{**fields, "supervisor": Identity(**fields["supervisor"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return instance if is_alive(instance.supervisor) else None


def write_instance(home: Home, instance: Instance) -> None:
    """Record who runs the home."""
    _file(home).write_text(json.dumps(asdict(instance)))


def delete_instance(home: Home) -> None:
    """Record that nothing runs the home."""
    _file(home).unlink(missing_ok=True)


def refuse_other(instance: Instance, port: int | None) -> None:
    """Raise `HomeInUse` unless this checkout runs the home, on `port` where one is asked for."""
    runs = f"pid {instance.supervisor.pid}, {instance.url}"
    if instance.checkout != str(CHECKOUT):
        raise HomeInUse(
            f"This home is run by the checkout {instance.checkout} ({runs}). End it there with "
            "`fingerpost down`, or set FINGERPOST_HOME to another folder."
        )
    if port and port != instance.port:
        raise HomeInUse(
            f"This home already runs on port {instance.port} ({runs}), not {port}. "
            "`fingerpost down` first, or set FINGERPOST_HOME to another folder."
        )


@contextmanager
def one_start_at_a_time(home: Home) -> Iterator[None]:
    """Hold the lock of the home; `HomeInUse` if another process is starting it."""
    with (home.run / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise HomeInUse(
                f"Another `fingerpost up` is starting {home.root} right now. Wait for it, or see "
                "`fingerpost status`."
            ) from exc
        yield


def _file(home: Home) -> Path:
    return home.run / "up.json"
