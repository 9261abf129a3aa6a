"""What a message wants, read from its vector: for wordings that no written rule foresaw."""
