"""What ties a mailout to a process, and a group that was missing to the letter that invited it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mailouts.models import Campaign
from participation.models.process import Process


class ProcessCampaign(models.Model):
    """A mailout about this process. `group` is the group that was missing when it was made (`participation.breadth`), `before`
    how it stood then; both empty for other mailouts."""

    campaign = models.OneToOneField(
        Campaign, primary_key=True, on_delete=models.CASCADE, related_name="for_process"
    )
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="campaigns")
    group = models.CharField(max_length=40, blank=True)
    before = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("mailout of a process")
        verbose_name_plural = _("mailouts of processes")

    def __str__(self) -> str:
        return f"{self.process_id}/{self.campaign_id}"
