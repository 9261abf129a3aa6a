"""The bodies of what people review."""
