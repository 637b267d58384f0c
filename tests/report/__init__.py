"""Hold the reports to what they promise."""
