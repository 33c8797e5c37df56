"""The bench on layers of a network."""
