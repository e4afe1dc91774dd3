"""Placet's commands."""
