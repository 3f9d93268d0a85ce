"""Shadow scores: scores of challengers beside those of the champion."""
