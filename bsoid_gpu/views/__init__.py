"""Results that people look at."""
