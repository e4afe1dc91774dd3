"""Placet's template tags."""
