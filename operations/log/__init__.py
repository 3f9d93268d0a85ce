"""The log: look into it, publish its schemas, import files, retry dead letters."""
