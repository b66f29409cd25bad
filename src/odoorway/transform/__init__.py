"""Transform: a validated payload into commands, and commands into flat records. Pure."""
