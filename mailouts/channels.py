"""Which way a letter goes to whom: asked in one place, before sending and when a letter must go another way."""

from dataclasses import dataclass

from mailouts.choices import Channel, Policy


@dataclass(frozen=True, slots=True)
class Reach:
    """How somebody can be reached: the register's word for Digital Post, an address to print, a confirmed e-mail."""

    digital: bool = False
    address: bool = False
    email: bool = False
    number: bool = False  # a CPR or CVR number, which NemSMS asks for


def choose(policy: str, reach: Reach) -> str | None:
    """The channel, or None when nothing that the mailout allows reaches them.

    Digital Post counts as received when it lies in the mailbox (Digital Post act § 10), paper when it is posted; so
    automatic is Digital Post first, paper for those who are exempt (§§ 3, 5), and e-mail only for those we know no other
    way to: an account without a CPR or CVR number and without an address.
    """
    match policy:
        case Policy.DIGITAL:
            return Channel.DIGITAL if reach.digital else None
        case Policy.PAPER:
            return Channel.PAPER if reach.address else None
        case Policy.EMAIL:
            return Channel.EMAIL if reach.email else None
        case Policy.NEMSMS:
            return Channel.NEMSMS if reach.number else None
    if reach.digital:
        return Channel.DIGITAL
    if reach.address:
        return Channel.PAPER
    return Channel.EMAIL if reach.email else None


def next_way(policy: str, tried: set[str], reach: Reach) -> str | None:
    """Where to go when a channel has failed for good; only an automatic mailout goes another way by itself."""
    if policy != Policy.AUTOMATIC:
        return None
    for channel, possible in (
        (Channel.DIGITAL, reach.digital),
        (Channel.PAPER, reach.address),
        (Channel.EMAIL, reach.email),
    ):
        if possible and channel not in tried:
            return channel
    return None
