"""Routing as compiled C: written in sixteen-lane vectors, votes made again instead of kept.

See `building` for when and how.
"""
