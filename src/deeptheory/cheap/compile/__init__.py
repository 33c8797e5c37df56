"""From a formula to a network with its weights set and its error certified; and back."""
