"""Hold the C frontend to what C means."""
