"""`retrace transactions`: what is told about a payment after its decision."""
