"""Values that every stage shares, and the legal changes of state. No I/O."""
