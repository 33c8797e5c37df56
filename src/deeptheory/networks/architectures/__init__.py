"""Networks that studies use, and layers of theirs."""
