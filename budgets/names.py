"""A name as it is said at a table or on the telephone, and the same name as the register spells it."""

import unicodedata

_NOTHING = str.maketrans("", "", "'’´`")


def folded(text: str) -> str:
    """As names are compared: lower case, å = aa, no accents or apostrophes, every other sign a space."""
    text = unicodedata.normalize("NFC", text).casefold().replace("å", "aa").translate(_NOTHING)
    parts = [sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)]
    return "".join(sign if sign.isalnum() else " " for sign in parts)


def fits(name: str, words: list[str]) -> bool:
    """Each folded word that was typed begins a word of the name, and no word of the name answers for two."""
    left = folded(name).split()
    for word in sorted(words, key=len, reverse=True):
        match = next((one for one in left if one.startswith(word)), None)
        if match is None:
            return False
        left.remove(match)
    return True
