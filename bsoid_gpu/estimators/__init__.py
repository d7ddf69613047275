"""What a step of the method can be done with: embedders, clusterers, classifiers."""
