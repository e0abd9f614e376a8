"""System checks: what must be right before a vote can be held."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from budgets import ballots, codes


@register()
def ballot_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        ballots.ballot_key()
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="It encrypts ballots until sealing, and must never lie in the database or its backups.",
                id="budgets.E001",
            )
        ]
    return []


@register()
def code_key_is_set(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        if codes.code_key() == ballots.ballot_key():
            raise ImproperlyConfigured("CODE_KEY must be another key than BALLOT_KEY.")
    except ImproperlyConfigured as error:
        return [
            Error(
                str(error),
                hint="Voting codes are stored under it; without it nobody's code is known again.",
                id="budgets.E002",
            )
        ]
    return []


@register(deploy=True)
def values_stay_out_of_the_database_log(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A log with the values of statements would hold voter and ballot in one line."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('log_statement'), current_setting('log_min_duration_statement'),"
            " current_setting('log_min_duration_sample'), current_setting('log_parameter_max_length'),"
            " current_setting('log_parameter_max_length_on_error')"
        )
        statement, duration, sample, length, on_error = cursor.fetchone()
    logged = statement in {"mod", "all"} or duration != "-1" or sample != "-1"
    if (logged and length != "0") or on_error != "0":
        return [
            Warning(
                "PostgreSQL writes the values of statements to its log.",
                hint="Set log_parameter_max_length and log_parameter_max_length_on_error to 0: otherwise the log can "
                "tell who cast which ballot.",
                id="budgets.W001",
            )
        ]
    return []
