"""Labeled images, from packages, the user's folder or checked downloads; and faces with landmarks."""
