"""Lifeline measured beside what people use today, both in one run."""
