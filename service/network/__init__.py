"""How the gateway is reached: Host names, proxies in front of it, and TLS."""
