"""Go from where it breaks to who should have followed."""
