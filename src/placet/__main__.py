"""`python -m placet` is the `placet` command."""

from placet.cli import main

main()
