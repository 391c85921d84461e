"""Each text that a person sees is there in each language, with the same values in it."""

from __future__ import annotations

import re
import runpy
from typing import Final

import pytest

from tests.python import addon_texts

LANGUAGES: Final = ("german",)


def translation(language: str) -> dict[str, str]:
    found = runpy.run_path(str(addon_texts.ADDON / "translations" / f"{language}.py"))["TEXTS"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_other(language: str) -> None:
    shown = addon_texts.texts()
    told = translation(language)
    missing = {text: place for text, place in shown.items() if text not in told}
    assert missing == {}
    assert [text for text in told if text not in shown] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    for text, told in translation(language).items():
        assert re.findall(r"\{.*?\}", told) == re.findall(r"\{.*?\}", text), text
        assert told.endswith(".") == text.endswith("."), text


def test_the_source_is_looked_through() -> None:
    """Of each kind one."""
    shown = addon_texts.texts()
    for text in (
        "Keep Open",  # a label
        "Keep Blender open without its server, until you release it or the server is back",
        "How much to add",  # a property
        "Save and close in {}",  # with a value
        "The connection was lost.",  # from a table
        "Whose Blender this is",  # a setting
        "Attempts and countdown",  # a section
    ):
        assert text in shown
