"""Results in sentences: headline, findings, cards, actions; every word from the catalogue."""
