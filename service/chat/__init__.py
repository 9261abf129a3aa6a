"""How a question becomes an answer: one straight line of plain functions."""
