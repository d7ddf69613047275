"""The command line: prints and exits, decides nothing."""
