"""Words: in which way of stemming a course is indexed and searched."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.postgres.search import SearchQuery

# Every course is indexed word by word; those in a language that PostgreSQL can stem, by its stems as well.
EXACT = "simple"
STEMMED = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian",
    "nl": "dutch", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
    "tr": "turkish",
}  # fmt: skip


def configurations_of(language: str) -> list[str]:
    """Return PostgreSQL's text search configurations for a language tag (BCP 47)."""
    stemmed = STEMMED.get(language.split("-", maxsplit=1)[0].lower())
    return [EXACT, stemmed] if stemmed else [EXACT]


def search_query(words: str, *, language: str = "en") -> Any:
    """Return the query for what somebody typed, in the syntax of web searches: "a phrase", or, -without."""
    return reduce(
        or_,
        (
            SearchQuery(words, config=config, search_type="websearch")
            for config in configurations_of(language)
        ),
    )
