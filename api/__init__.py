"""HTTP API: routes, schemas, and the map from errors to problem details."""
