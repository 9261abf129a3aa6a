"""What is measured on training rows."""
