"""`fingerpost tenants` and `fingerpost users`: whose the data of this machine's home are."""
