"""The rows, in the order of the table.

A row is a module with `TITLE`, a sentence, and `measure(site)`, which gives its figures.
"""
