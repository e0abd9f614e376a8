"""One connection to the mail server for a whole run, and what its answers mean.

What the server certainly did not take may be sent again; whatever else goes wrong means that nobody knows.
"""

import smtplib

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from mailouts.gateway import NotTaken


class RecipientRefused(NotTaken):
    """The receiving server knows of no such mailbox: the address is no use until somebody confirms it again."""


class Mail:
    """Opened when the first e-mail goes."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def __enter__(self) -> "Mail":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def send(self, mail: EmailMultiAlternatives) -> None:
        """Raises `NotTaken` when it certainly was not taken; anything else raised means that nobody knows."""
        if self._connection is None:
            fresh = get_connection()
            try:
                fresh.open()
            except (OSError, smtplib.SMTPException) as error:
                raise NotTaken(type(error).__name__, gateway=True) from error
            self._connection = fresh
        try:
            taken = self._connection.send_messages([mail])
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _words in refused.recipients.values()]
            if all(code >= 500 for code in codes):
                raise RecipientRefused("recipient refused", final=True) from refused
            raise NotTaken("recipient refused") from refused
        except smtplib.SMTPResponseException as refused:
            self.close()
            raise NotTaken(f"SMTP {refused.smtp_code}", final=500 <= refused.smtp_code < 600) from refused
        except Exception:
            self.close()
            raise
        if not taken:
            raise NotTaken("not taken")

    def close(self) -> None:
        if self._connection is not None:
            try:
                self._connection.close()
            except (OSError, smtplib.SMTPException):
                pass  # what was answered was answered before
            self._connection = None
