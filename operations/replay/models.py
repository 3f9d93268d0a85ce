"""Models of the past, loaded once each."""

from commands.ports import LoadModel, ModelScorer
from domain.errors import IntegrityError, NotFoundError


class PastModels:
    """Loads by hash; remembers why one cannot be loaded."""

    def __init__(self, load: LoadModel) -> None:
        self._load = load
        self._loaded: dict[str, ModelScorer | str] = {}

    def of(self, model_hash: str) -> ModelScorer | str:
        """The scorer, or why there is none. Raises UnavailableError of a model server."""
        if model_hash not in self._loaded:
            try:
                self._loaded[model_hash] = self._load(model_hash)
            except (NotFoundError, IntegrityError) as error:
                self._loaded[model_hash] = str(error)
        return self._loaded[model_hash]
