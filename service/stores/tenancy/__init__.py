"""The tenants of a home, and which rows of the database are whose."""
