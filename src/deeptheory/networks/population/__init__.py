"""Many small networks trained at once, as one batched program with a leading seed axis."""
