"""Which event sources are AWS's own: no other sender may claim one, or it would write AWS's history."""

import re
import unicodedata

_AWS = re.compile(r"(^|[^a-z0-9-])(amazonaws\.com|aws\.amazon\.com)|^aws([.:/]|$)|^arn:aws")


def is_aws_source(text: str) -> bool:
    """Whether it is AWS's, or reads so: letters of another width and characters that nobody sees do not hide it.

    Takes the square of the text's length.
    """
    written = unicodedata.normalize("NFKC", text).casefold().replace("\u3002", ".")
    # What is not seen hides a letter's neighbour, or ends a word; white space that controls lines does both.
    hidden = "".join(
        letter if _is_seen(letter) else " " if letter.isspace() or letter == "\u2800" else "\0" for letter in written
    )
    readings = (hidden.replace("\0", ""), hidden.replace("\0", " "), hidden.replace("\0", "").replace(" ", ""))
    return any(_AWS.search(reading.strip()) for reading in readings)


def _is_seen(character: str) -> bool:
    """Not: controls, formats, what Unicode has not assigned, marks (variation selectors are some), Hangul's fillers and
    Braille's blank.
    """
    return unicodedata.category(character)[0] not in "CM" and character not in "\u115f\u1160\u2800"
