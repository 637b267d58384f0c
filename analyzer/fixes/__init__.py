"""Offer repairs: edits of the C source that were proved by analysing the repaired tree."""

from analyzer.fixes.offer import Offers, offer_fixes

__all__ = ["Offers", "offer_fixes"]
