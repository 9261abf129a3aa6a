"""The service's own SQL tables are registered here; each is defined beside what uses it."""

from sqlalchemy import MetaData

metadata = MetaData()
