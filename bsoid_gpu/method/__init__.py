"""The method, a file a step: array code that knows no disk and no process."""
