"""A stand-in for imbalanced-learn, so that programs that oversample run where it is missing."""
