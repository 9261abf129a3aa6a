"""What runs in a process of its own because it loads torch."""
