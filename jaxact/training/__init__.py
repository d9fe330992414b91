"""The loop that trains every network, and what it is made of."""
