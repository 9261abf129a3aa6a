"""What can be wrong with a tenant that a command names.

ServiceError
├── NotFound
│   └── TenantNotFound      no tenant has this name
└── InvalidRequest
    ├── InvalidTenantName   the name cannot be a tenant's
    ├── TenantExists        the name is taken
    ├── TenantKept          the tenant `default` cannot be deleted
    ├── TenantBusy          a job of the tenant has not ended
    └── ExportImpossible    the file of an export cannot be written
"""

from service.errors import InvalidRequest, NotFound


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
