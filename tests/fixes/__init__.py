"""Edit C as people in the kernel would, and only where that is plain."""
