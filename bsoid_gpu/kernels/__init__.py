"""Compiled loops: NumPy arrays in, NumPy arrays out."""
