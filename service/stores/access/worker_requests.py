"""What the worker sends in place of a key when it asks its own gateway: signed, for one minute."""

import time

from service.access import Caller, Scope
from service.access_errors import InvalidKey
from service.stores.access.signing import Signer

WORKER_PREFIX = "worker:"
VALID_S = 60  # the gateway reads it at once


def worker_key(signer: Signer, tenant: str, key_id: str | None) -> str:
    """Return what stands in place of a key for the next minute, for a job of one tenant.

    Args:
        signer: Of the worker's requests.
        tenant: Whose job it is.
        key_id: The API key that started it, whose bounds hold; None: none did.
    """
    expires, by = str(int(time.time()) + VALID_S), key_id or ""
    return f"{WORKER_PREFIX}{tenant}:{by}:{expires}:{signer.sign([tenant, by, expires])}"


def caller_of_worker(key: str, signer: Signer) -> Caller:
    """Return who the worker asks for: its job's tenant and key, by scope `chat`, without labels.

    Raises:
        InvalidKey: The signature does not fit, or the minute is over.
    """
    tenant, by, expires, signature = (key.removeprefix(WORKER_PREFIX).split(":") + [""] * 4)[:4]
    is_signed = signer.is_signed([tenant, by, expires], signature)
    now = time.time()
    if not is_signed or not now < int(expires) <= now + 2 * VALID_S:  # else a clock was set back
        raise InvalidKey("The signature of the worker's request is not valid.")
    return Caller(tenant, frozenset({Scope.CHAT}), by or None, frozenset())
