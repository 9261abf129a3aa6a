"""How the worker proves to the gateway for which tenant it asks.

A comparison asks as a client does, in the name of the tenant that ordered it. What it sends is
signed by the home's secret, which only processes of the home can read. It knows the header; it
does not know keys.
"""

import hmac

from service.access import Caller
from service.home import Home
from service.home_secret import derive, home_secret

HEADER = "x-fingerpost-internal"
PURPOSE = "internal_caller"
SCOPES = frozenset({"chat"})  # a comparison asks questions, and names no access labels


def sign(home: Home, tenant: str) -> str:
    """Return the header's value for a tenant."""
    return f"{tenant}.{derive(home_secret(home), PURPOSE, tenant)}"


def read_signed(home: Home, header: str) -> Caller | None:
    """Return the caller that a header's value proves, or None where it proves nothing."""
    tenant, _, signature = header.rpartition(".")
    expected = derive(home_secret(home), PURPOSE, tenant)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        return None
    return Caller(tenant, SCOPES, None, frozenset())
