"""What an administrator asks of the gateway, one file per noun."""
