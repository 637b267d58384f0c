"""Read C: text to functions as control-flow graphs, and gaps."""
