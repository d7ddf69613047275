"""Behaviours: what users call the labels, and what the animals do in them. A file beside the model, never inside it."""
