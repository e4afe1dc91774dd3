"""The road from what a visitor said to what is set, read and loaded. Pure: no I/O, clock or randomness."""
