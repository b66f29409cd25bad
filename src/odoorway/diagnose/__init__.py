"""Every diagnosis, once."""
