"""What ``semantest doctor`` looks at, one module per subject."""
