"""What happened to documents: versions compared and taken back, syncs of folders, use."""
