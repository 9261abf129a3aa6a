"""What people review, one file per noun."""
