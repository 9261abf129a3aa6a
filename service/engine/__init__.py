"""The model server: its client, its status, and its adapters loaded and published."""
