"""The two routings, their kernels and the window tables that carry them over an image."""
