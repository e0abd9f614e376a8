"""Mails as mail servers send them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

OURS = "example.dk"

REPORT = """Return-Path: <>
Date: Mon, 30 Nov 2026 10:00:00 +0100
From: MAILER-DAEMON@mx.{reporter} (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: deltag@example.dk
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4R9xY0.1764496800/mx.{reporter}"
Message-Id: <20261130090000.4R9xY0@mx.{reporter}>

This is a MIME-encapsulated message.

--4R9xY0.1764496800/mx.{reporter}
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<{final}>: host mx.{reporter}[192.0.2.7] said: 550 {status} User unknown

--4R9xY0.1764496800/mx.{reporter}
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{reporter}
X-Postfix-Queue-ID: 4R9xY0
Arrival-Date: Mon, 30 Nov 2026 09:59:58 +0100 (CET)

Final-Recipient: rfc822; {final}
{original}Action: {action}
Status: {status}
Remote-MTA: dns; mx.{reporter}
Diagnostic-Code: smtp; 550 {status} User unknown

--4R9xY0.1764496800/mx.{reporter}
Content-Description: Undelivered Message {headers_only}
Content-Type: {returned}

From: Lunde Kommune <deltag@example.dk>
To: {final}
Subject: Torvet er =?utf-8?q?=C3=A5bent?=
Message-ID: <{uuid}@{domain}>
Content-Type: text/plain; charset="utf-8"

Hej

--4R9xY0.1764496800/mx.{reporter}--
"""


def report(uuid: UUID | str, final: str = "maja@example.dk", **changes: Any) -> bytes:
    """Postfix's form of it."""
    words = {
        "reporter": "example.net",
        "status": "5.1.1",
        "action": "failed",
        "original": "",
        "returned": "message/rfc822",
        "headers_only": "",
        "domain": OURS,
    } | changes
    return REPORT.format(uuid=uuid, final=final, **words).encode()


EXCHANGE = """From: <postmaster@outlook.example>
To: deltag@example.dk
Subject: Kan ikke leveres: Torvet
Content-Type: multipart/report; report-type=delivery-status; boundary="b1_0"
MIME-Version: 1.0

--b1_0
Content-Type: multipart/alternative; boundary="b2_0"

--b2_0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Din meddelelse kunne ikke leveres =E2=80=93 postkassen findes ikke.
--b2_0
Content-Type: text/html; charset="utf-8"

<p>Din meddelelse kunne ikke leveres</p>
--b2_0--

--b1_0
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01.outlook.example
Received-From-MTA: dns;mail.example.dk

Original-Recipient: rfc822;{final}
Final-Recipient: RFC822;<{final}>
Action: Failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound

--b1_0
Content-Type: text/rfc822-headers

Received: from mail.example.dk
Message-ID:
 <{uuid}@example.dk>
Subject: Torvet
--b1_0--
"""


def exchange(uuid: UUID | str, final: str) -> bytes:
    return EXCHANGE.format(uuid=uuid, final=final).replace("\n", "\r\n").encode()
