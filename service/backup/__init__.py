"""Backup and restore of the state of a home."""
