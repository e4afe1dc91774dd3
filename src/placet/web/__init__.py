"""Adapters: the only room that knows HTTP servers."""
