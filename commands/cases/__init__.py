"""What people do about cases."""
