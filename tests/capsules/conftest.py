"""Tests of kernels for a GPU are collected where triton can be imported."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("triton") else ["on_gpu"]
