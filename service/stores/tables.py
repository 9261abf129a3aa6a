"""Metadata of the service's own SQL tables; each table is defined beside its store."""

from sqlalchemy import MetaData

metadata = MetaData()
