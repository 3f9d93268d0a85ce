"""docs/features.md is what the declarations give."""

from pathlib import Path

from domain.features import CATALOGUE
from domain.features.declarations.page import features_page

PAGE = Path(__file__).parents[4] / "docs" / "features.md"


def test_the_reference_page_is_up_to_date() -> None:
    assert PAGE.read_text() == features_page(), f"write features_page() to {PAGE} again"


def test_the_page_names_every_feature_of_the_vector() -> None:
    page = features_page()
    assert CATALOGUE.hash in page
    assert all(f"| `{name}` |" in page for name in CATALOGUE.names)
