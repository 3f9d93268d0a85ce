"""How good a model is: metrics, costs, comparison and the model card."""
