"""How networks learn here: one resumable loop, its options, optimizers and adversaries."""
