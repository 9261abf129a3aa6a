"""Measures of the steps that training rows go through."""
