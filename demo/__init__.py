"""The story that `make run` shows: an invented municipality, invented people, invented figures.

Three citizen budgets, shaped after two that exist: Borgermillionen (Ballerup) and Brændkjær bestemmer (Kolding).
Nothing imports this room; it uses the same actions as everybody else, at the moments when they would have happened.
"""
