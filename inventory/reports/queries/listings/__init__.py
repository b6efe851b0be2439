"""The reports that are lists: for each kind the format of its cells, how they are printed, and the query that reads them.

A kind's `rows` reads them as of one link of the chain (law 10), in the order of its sections. The cells are plain text, without the
guard of a CSV: the same words stand on the paper.
"""
