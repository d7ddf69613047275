"""Ready-to-submit files for clusters: what is asked for, the scripts, and what is missing at the end."""
