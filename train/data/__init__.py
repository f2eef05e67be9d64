"""The pictures, where their objects stand, and what is made of them to learn from."""
