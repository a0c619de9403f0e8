"""The measures, and the floors and peers that they are held against. Ratios count; the machines are noisy."""
