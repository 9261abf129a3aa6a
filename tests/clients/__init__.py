"""Asks a running gateway through clients that others wrote, each in its own environment."""
