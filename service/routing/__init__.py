"""What the router is told, and which policy and classifier it is asked with."""
