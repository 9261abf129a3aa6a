"""What is stored of requests: the changes that they made, and first answers for a repeat."""
