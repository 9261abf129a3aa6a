"""Who may call the gateway: who a key speaks for; without keys this machine, by loopback names.

It knows callers, addresses and origins; keys are kept in `stores/access/` and read from requests
in `api/http/authentication.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.errors import HostForbidden

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "localhost", "::1"})
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})  # as a Host header has them


class Scope(StrEnum):
    """What an API key may be allowed to do; none of them contains another."""

    CHAT = "chat"
    KB_READ = "kb:read"
    KB_WRITE = "kb:write"
    TRAIN = "train"
    FEEDBACK = "feedback"
    EXPERIMENTS = "experiments"
    LABELS = "labels"
    ADMIN = "admin"


EVERY_SCOPE = "*"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and what the request may touch.

    Attributes:
        tenant: Whose data is read and written.
        scopes: What may be done; `*` is everything.
        key_id: The API key that the request came with; None without one.
        access_labels: Labels of documents that are read where a request names none; a request can
            narrow them. None: any.
        use_cases: The only use cases that may be used; None: all of the tenant.
        knowledge_bases: The only knowledge bases that may be used; None: all of the tenant.
    """

    tenant: str
    scopes: frozenset[str]
    key_id: str | None
    access_labels: frozenset[str] | None
    use_cases: frozenset[str] | None = None
    knowledge_bases: frozenset[str] | None = None

    def may(self, scope: str) -> bool:
        """Return whether the caller has a scope."""
        return scope in self.scopes or EVERY_SCOPE in self.scopes

    def labels(self, named: Collection[str] | None) -> Collection[str] | None:
        """Return the access labels that count for a request.

        Args:
            named: Those that the request names; None: it names none, so all that are held count.

        Returns:
            Those named, as far as the caller holds them; all of them with scope `labels`. None:
            any label.
        """
        if named is None:
            return self.access_labels
        if self.access_labels is None or Scope.LABELS in self.scopes:
            return named
        return self.access_labels.intersection(named)

    def may_use_base(self, base_id: str) -> bool:
        """Return whether the caller may use a knowledge base of its tenant."""
        return self.knowledge_bases is None or base_id in self.knowledge_bases

    def may_use_case(self, use_case_id: str) -> bool:
        """Return whether the caller may use a use case of its tenant."""
        return self.use_cases is None or use_case_id in self.use_cases


DEFAULT_TENANT = "default"
# Who reaches a loopback address owns the machine's data: every scope, any label.
LOOPBACK_CALLER = Caller(DEFAULT_TENANT, frozenset({"*"}), None, None)


FIRST_KEY = "fingerpost keys create --name admin --scopes all"


def require_keys_or_loopback(address: str, *, has_keys: bool) -> None:
    """Refuse to listen on an address that others can reach while nobody could be kept out.

    Raises:
        HostForbidden: The address is not loopback, and there are no API keys.
    """
    if address not in LOOPBACK_ADDRESSES and not has_keys:
        raise HostForbidden(
            f"server.host {address!r} is refused: there are no API keys yet, so anyone who reaches "
            "the gateway could read and change everything. Make the first key on this machine: "
            f"{FIRST_KEY}"
        )


def require_loopback_name(host: str) -> None:
    """Refuse a request whose Host header is not a loopback name.

    A web page can point a name of its own at this machine (DNS rebinding); its requests carry
    that name.

    Raises:
        HostForbidden: The name is another.
    """
    if _without_port(host).lower() not in LOOPBACK_NAMES:
        raise HostForbidden(
            f"Host {host!r} is refused: without API keys the gateway answers only to localhost, "
            "127.0.0.1 and [::1]."
        )


def require_allowed_origin(
    origin: str, *, host: str, public_url: str | None, allowed: Sequence[str] | None
) -> None:
    """Refuse a request that a browser sends for a page that may not call.

    Such a page can post a form or nothing at all to this machine without asking leave.

    Args:
        origin: The Origin header; programs that are no browser send none.
        host: The Host header: pages of the gateway itself may call.
        public_url: Where clients reach the gateway, if that is configured; as `host`.
        allowed: Origins whose pages may call, `:*` for any port; None: those of this machine.

    Raises:
        HostForbidden: The page may not call.
    """
    scheme, separator, name = origin.lower().partition("://")
    own = [host.lower(), (public_url or "").lower().partition("://")[2].partition("/")[0]]
    if separator and name and name in own:
        return
    if allowed is None:
        require_loopback_origin(origin)
        return
    any_port = f"{scheme}://{_without_port(name)}:*"
    if not separator or not {origin.lower(), any_port} & {one.lower() for one in allowed}:
        raise HostForbidden(
            f"Origin {origin!r} is refused: it is not in server.cors_origins, so web pages of it "
            "may not call."
        )


def require_loopback_origin(origin: str) -> None:
    """Refuse a request that a browser sends for a page from elsewhere.

    Args:
        origin: The Origin header.

    Raises:
        HostForbidden: The page is not of this machine.
    """
    host = origin.partition("://")[2]
    try:
        require_loopback_name(host)
    except HostForbidden as exc:
        raise HostForbidden(
            f"Origin {origin!r} is refused: without API keys only web pages "
            "of this machine may call, and those of server.cors_origins."
        ) from exc


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]
