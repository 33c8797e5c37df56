"""Triton kernels for CUDA; `missing()` in `dynamic` says why there are none.
Triton is imported when a kernel first runs."""
