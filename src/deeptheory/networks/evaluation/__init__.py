"""What a trained network can do: its scores, under attack, and next to another at equal accuracy."""
