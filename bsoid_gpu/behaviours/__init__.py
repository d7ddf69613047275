"""Behaviours: the names that users give, what the animal does in words and units, and which labels belong together."""
