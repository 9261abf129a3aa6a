"""What people review of training data."""
