"""Settings, one module an environment; the process environment is read in this package and nowhere else."""
