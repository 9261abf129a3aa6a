"""A policy file: read, checked, compiled. What it can never do is found here as well."""
