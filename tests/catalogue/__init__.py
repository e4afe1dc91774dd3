"""The catalogue: its entries, what becomes of a policy that uses them, and the pages about it."""
