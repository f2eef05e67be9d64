"""Everything that makes this project's numbers: one command, `python -m train.measure`, one table of measures."""
