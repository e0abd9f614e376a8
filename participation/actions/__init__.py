"""The one door for every write: keyword-only functions, the acting user explicit, one transaction each."""
