"""The generators: what every one is, the networks they are made of, and one module a model."""
