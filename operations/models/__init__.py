"""Operations on models: lifecycle, default model, cards, export and MLflow."""
