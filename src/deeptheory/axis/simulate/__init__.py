"""Simulated cells whose code is known, and what the bench says of them."""
