"""Where receipts come in. Nobody signs in here: each receipt is signed itself."""

import time

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.verdict import Refused
from mailouts import actions, receipts, signatures

ANSWERS = {"closed": 404, "unsigned": 403, "forged": 403, "too_old": 403, "too_large": 413, "replayed": 409}


@csrf_exempt
@require_POST
def take_receipt(request: HttpRequest) -> HttpResponse:
    """204 when it is taken in; else a reason in plain text. A receipt that has come before is refused as such."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > receipts.LARGEST:
            raise Refused("too_large", "The receipt is too large.")
        body = request.body
        receipts.check_signature(
            body,
            moment=request.headers.get(signatures.MOMENT_HEADER, ""),
            signed=request.headers.get(signatures.SIGNATURE_HEADER, ""),
            at=time.time(),
        )
        actions.note_receipt(told=receipts.read(body))
    except Refused as refused:
        status = ANSWERS.get(refused.code, 400)
        return HttpResponse(f"{refused.reason}\n", status=status, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)
