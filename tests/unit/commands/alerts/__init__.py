"""Tests of alerts on their way out."""
