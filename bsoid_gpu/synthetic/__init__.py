"""A synthetic mouse with known behaviours."""
