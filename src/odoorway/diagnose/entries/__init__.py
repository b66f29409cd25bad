"""Every diagnosis, by who meets it."""
