"""A moment as a Dane writes it: 29. marts 2027 kl. 09.55 (Dansk Sprognævn: a full stop in the time of day)."""

DATETIME_FORMAT = r"j. F Y \k\l. H.i"
