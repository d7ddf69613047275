"""Ready-to-submit files for clusters: resources to request, scripts, and a report of what is missing at the end."""
