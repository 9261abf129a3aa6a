"""The state of a home in one file, and back."""
