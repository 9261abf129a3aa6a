"""What a question says about itself: written rules, and a fitted classifier."""
