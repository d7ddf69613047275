"""Settings: their schema, and the TOML file."""
