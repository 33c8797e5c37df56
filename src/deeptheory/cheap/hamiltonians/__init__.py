"""Hamiltonians: as networks, fitted to data, counted, coarse-grained."""
