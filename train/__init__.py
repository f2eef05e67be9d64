"""Everything that makes the weights and the numbers: data, training loop, one trainer a model, benchmark."""
