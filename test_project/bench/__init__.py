"""Benchmarks: ratios of one interleaved run on one machine. ``python -m test_project.bench --help``"""
