"""`python -m backhand` is the command `backhand`."""

from backhand.cli import main

main()
