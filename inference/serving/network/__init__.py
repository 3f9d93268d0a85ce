"""Neural network in Keras: its layers, preprocessing and stored weights."""
