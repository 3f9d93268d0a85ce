"""Commands of `retrace features`: verification, rebuild, generations and export."""
