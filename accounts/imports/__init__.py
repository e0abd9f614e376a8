"""Files that a caseworker brings: the register extract, districts, population figures, organisations. All of a file, or nothing of it."""

from accounts.imports.districts import import_districts
from accounts.imports.files import FileRefused, LineError
from accounts.imports.organisations import import_organisations
from accounts.imports.population import import_population, population_from_register
from accounts.imports.register import import_register, purge_extracts

__all__ = [
    "FileRefused",
    "LineError",
    "import_districts",
    "import_organisations",
    "import_population",
    "import_register",
    "population_from_register",
    "purge_extracts",
]
