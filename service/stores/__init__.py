"""What the service keeps in SQL, one file per noun."""
