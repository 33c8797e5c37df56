"""Markov hierarchies: minimal sufficient statistics, level by level."""
