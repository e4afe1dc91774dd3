"""`placet serve`: the reverse proxy in front of any site, and what only it needs."""
