"""Commands about who may call: they work on this home's database, whether or not it runs."""
