"""Errors of API keys and of tenants: what is refused, and which name cannot be one.

Unauthenticated
├── KeyRequired         no key came with the request
├── InvalidKey          the key is malformed or unknown
├── KeyExpired
├── KeyRevoked
└── LinkRefused         a signed link is not valid, or no longer
Forbidden
├── ScopeMissing        the key lacks the scope that the endpoint needs
└── BaseNotAllowed      the key is bound to knowledge bases, and this is none of them
KeyInUrl                a key stands in the address of a request
KeyNotFound             no key has this id
UnknownScope            a scope that does not exist
UnboundUseCase          the key is bound to use cases, and the request names none of them
TenantNotFound          no tenant has this name
InvalidTenantName       the name cannot be a tenant's
TenantExists            the name is taken
TenantKept              the tenant `default` cannot be deleted
TenantBusy              a job of the tenant has not ended
ExportImpossible        the file of an export cannot be written

It knows no status; that is in `errors.py`.
"""

from service.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated

MAKE_ONE = "`fingerpost keys create --name N --scopes chat` makes a key on the gateway's machine."


class KeyRequired(Unauthenticated):
    """No API key came with the request."""

    code = "key_required"
    hint = (
        "Send `Authorization: Bearer KEY` or `x-api-key: KEY`; commands read the key from "
        f"FINGERPOST_API_KEY. {MAKE_ONE}"
    )


class InvalidKey(Unauthenticated):
    """The API key is malformed or unknown."""

    code = "invalid_api_key"
    hint = "Copy the whole key as it was shown when it was made; `fingerpost keys ls` lists them."


class KeyExpired(Unauthenticated):
    """The API key has expired."""

    code = "key_expired"
    hint = "Make a new one: `fingerpost keys rotate ID --expires 90d`."


class KeyRevoked(Unauthenticated):
    """The API key was revoked."""

    code = "key_revoked"
    hint = f"A revoked key never works again. {MAKE_ONE}"


class LinkRefused(Unauthenticated):
    """A signed link is not valid, or no longer."""

    code = "link_refused"
    hint = "Ask the question again: each answer brings new links."


class ScopeMissing(Forbidden):
    """The API key lacks the scope that the endpoint needs."""

    code = "scope_missing"
    hint = "Use a key with the named scope; `fingerpost keys ls` shows the scopes of each."


class BaseNotAllowed(Forbidden):
    """The key is bound to knowledge bases, and the one to be made is none of them."""

    code = "knowledge_base_not_allowed"
    hint = "Use a key that is bound to no knowledge bases, or name one of those it is bound to."


class KeyInUrl(InvalidRequest):
    """A key stands in the address of the request."""

    code = "key_in_url"
    hint = (
        "Addresses end up in logs and histories: replace this key by `fingerpost keys rotate`, "
        "and send keys in a header."
    )


class KeyNotFound(NotFound):
    """No API key has this id."""

    code = "key_not_found"
    hint = "`fingerpost keys ls` lists the keys."


class UnknownScope(InvalidRequest):
    """A scope does not exist."""

    code = "unknown_scope"
    hint = "`fingerpost keys create --help` lists the scopes."


class UnboundUseCase(InvalidRequest):
    """The key is bound to use cases, and the request names none of them."""

    code = "use_case_required"
    hint = "Name one of the key's use cases in `use_case`."


class TenantNotFound(NotFound):
    """No tenant has this name."""

    code = "tenant_not_found"
    hint = "`fingerpost tenants ls` lists the tenants."


class InvalidTenantName(InvalidRequest):
    """The name cannot be a tenant's."""

    code = "invalid_tenant_name"
    hint = "Use 1 to 64 lower-case letters, digits, - and _, beginning with a letter or digit."


class TenantExists(InvalidRequest):
    """The name is taken."""

    code = "tenant_exists"
    hint = "Choose another name; `fingerpost tenants ls` lists those in use."


class TenantKept(InvalidRequest):
    """The tenant `default` cannot be deleted."""

    code = "tenant_kept"
    hint = "Every home has it; delete its knowledge bases, use cases and adapters one by one."


class TenantBusy(InvalidRequest):
    """A job of the tenant has not ended."""

    code = "tenant_busy"
    hint = "Its jobs are cancelled; run the command again once they have ended."


class ExportImpossible(InvalidRequest):
    """The file of an export cannot be written."""

    code = "export_impossible"
    hint = "Name a new file that ends in .zip, in a folder that exists."
