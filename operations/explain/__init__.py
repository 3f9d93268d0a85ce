"""Explanation of one payment: who was known by what, what that made, what would have changed it."""
