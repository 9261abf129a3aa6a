"""Policies and decisions examined afterwards: tested, compared, explained, measured."""
