"""Set the behaviours of two trees side by side."""
