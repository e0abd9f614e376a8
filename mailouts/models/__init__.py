"""Letters: a mailout (campaign), whom it is for, and one delivery for each of them."""

from mailouts.models.campaigns import Campaign, ListedRecipient, Source
from mailouts.models.deliveries import Attempt, Delivery, DisabledAddress, GatewayHealth, PrintBatch, Receipt

__all__ = [
    "Attempt",
    "Campaign",
    "Delivery",
    "DisabledAddress",
    "GatewayHealth",
    "ListedRecipient",
    "PrintBatch",
    "Receipt",
    "Source",
]
