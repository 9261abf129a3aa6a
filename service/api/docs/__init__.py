"""The OpenAPI document, the pages made from it, and the list of endpoints."""
