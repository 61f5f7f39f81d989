"""A reproducible companion to four continual-learning papers."""

__version__ = "0.1.0"
