"""The room's tables and everything that reads or writes them."""
