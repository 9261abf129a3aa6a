"""Who may call, kept in SQL: API keys, and the secrets that links are signed with."""
