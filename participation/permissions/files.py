"""Who may see what hangs on a contribution: whoever may see the contribution."""

from accounts.models import User
from participation.files import Owner
from participation.models import Contribution, StoredFile
from participation.permissions.contributions import may_see


def _public(file: StoredFile) -> bool:
    return Contribution.objects.public().filter(attachments__file=file).exists()


def _seen_by(file: StoredFile, user: User) -> bool:
    holders = Contribution.objects.filter(attachments__file=file).select_related("process", "author")
    return any(may_see(user, contribution) for contribution in holders)


HUNG_ON_CONTRIBUTIONS = Owner("contributions", _public, _seen_by)
