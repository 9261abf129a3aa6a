"""What the worker sends in place of a key when it asks its own gateway: signed, for one minute."""

import time

from service.access import Caller, Scope
from service.access_errors import InvalidKey
from service.stores.access.signing import Signer

WORKER_PREFIX = "worker:"
VALID_S = 60  # the gateway reads it at once


def worker_key(signer: Signer, tenant: str) -> str:
    """Return what stands in place of a key for the next minute, for questions of one tenant."""
    expires = str(int(time.time()) + VALID_S)
    return f"{WORKER_PREFIX}{tenant}:{expires}:{signer.sign([tenant, expires])}"


def caller_of_worker(key: str, signer: Signer) -> Caller:
    """Return who the worker asks for: its job's tenant, by scope `chat`, without labels.

    Raises:
        InvalidKey: The signature does not fit, or the minute is over.
    """
    tenant, _, rest = key.removeprefix(WORKER_PREFIX).partition(":")
    expires, _, signature = rest.partition(":")
    if not signer.is_signed([tenant, expires], signature) or int(expires) <= time.time():
        raise InvalidKey("The signature of the worker's request is not valid.")
    return Caller(tenant, frozenset({Scope.CHAT}), None, frozenset())
