"""Sources: one module a platform."""
