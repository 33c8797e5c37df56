"""What a population does as a whole: its geometry, similarities across views, its object space."""
