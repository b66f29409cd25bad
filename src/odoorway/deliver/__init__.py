"""From commands to a destination's answer, and what that answer means."""
