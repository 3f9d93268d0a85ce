"""Customers, merchants, places and prices."""
