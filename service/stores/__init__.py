"""What the service stores in SQL, one file per noun."""
