"""Population: customers, merchants, places, prices and habits."""
