"""Speed and memory beside the usual ways; `make bench` or `python -m benchmarks`."""
