"""Where a caseworker sets processes up, looks after them and answers people, without a developer or a command line."""

from participation.admin import records

__all__ = ["records"]
