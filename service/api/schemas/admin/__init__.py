"""The bodies of what an administrator asks of the gateway."""
