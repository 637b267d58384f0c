"""Run the command line as people do."""
