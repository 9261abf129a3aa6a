"""Decisions from the command line: `fingerpost route|policy|why|regret|shadow|advise`."""
