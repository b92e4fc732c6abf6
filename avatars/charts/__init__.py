"""Charts and tables to broadcast legibility: drawn once into a `Panel`, which then only appears, pixel by pixel."""
