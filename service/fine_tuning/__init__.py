"""Adapters trained and judged, and their rows made and checked, for a home."""
