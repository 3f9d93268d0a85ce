"""What an operator starts and waits for."""
