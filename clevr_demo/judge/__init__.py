"""The judge: a detector that counts, a classifier for the course's measure, and the verdict made of both."""
