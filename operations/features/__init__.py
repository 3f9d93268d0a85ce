"""Operations on features: first generation, rebuild, verification and export of a training set."""
