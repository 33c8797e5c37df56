"""Images of solids, rendered."""
