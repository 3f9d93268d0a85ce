"""docs/policy.md shows what the default policy answers to typical frauds."""

from tests.builders.policy.typical_frauds import DOCS, answers, in_docs, page


async def test_the_answers_in_the_docs_are_given_and_tell_why_in_words_with_values() -> None:
    found = await answers()
    assert in_docs(DOCS.read_text()) == page(found), (
        "python -m tests.builders.policy.typical_frauds"
    )
    for story, (*_, last) in found:
        first = last["reasons"][0]
        assert last["outcome"] != "approve", story.title
        assert first["code"].startswith("policy."), story.title
        assert any(letter.isdigit() for letter in first["text"]), story.title
        assert "{" not in first["text"]
