"""Generated tasks whose joint distribution or mutual information is known."""
