"""Receive: verify, identify, append, answer."""
