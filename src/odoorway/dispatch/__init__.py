"""Dispatch: lease, transform, deliver, settle."""
