"""The catalogues of the screens' words: whole, true to the words they translate, and compiled."""

import re

import pytest

from config import words

# What is filled in, and what the page is made of: a translation has the same.
FACTS = re.compile(r"%\(\w+\)s|%%|\{\w*\}|</?\w+")


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_word_is_translated_with_the_same_facts(language: str) -> None:
    catalog = words.read(language)
    kept = {(word.id, word.context) for word in catalog if word.id}
    said = {(word.id, word.context) for word in words.gathered() if word.id}
    assert kept == said, "gather the words anew: make words"
    for word in catalog:
        if not word.id:
            continue
        ids = word.id if isinstance(word.id, list | tuple) else (word.id,)
        strings = words.strings(word)
        assert not word.fuzzy and all(strings), f"not translated: {word.id}"
        assert len(strings) == len(ids)
        for source, translated in zip(ids, strings, strict=True):
            assert set(FACTS.findall(source)) == set(FACTS.findall(translated)), source


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_what_is_read_is_what_people_edit(language: str) -> None:
    path = words.path_of(language)
    catalog = words.read(language)
    assert path.read_bytes() == words.written(catalog), "make words"
    assert path.with_suffix(".mo").read_bytes() == words.compiled(catalog), "make words"
