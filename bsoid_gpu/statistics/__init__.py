"""Statistics on labels."""
