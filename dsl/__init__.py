"""Syntax tree to a running simulation."""
