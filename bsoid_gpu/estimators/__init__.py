"""Embedders, clusterers and classifiers."""
