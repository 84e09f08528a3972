"""Simulated students: what somebody with a habit writes on a page, and how.

    net -> what a person reckons (people) -> how it stands on paper (hands) -> what a scanner makes of it (scanner)

Nothing of Backhand is imported: a marker measured with pages of its own making would only agree with itself.

    trees      formulas, each leaf with its name and the number that person has for it
    nets       networks to be marked: layered ones, gates, residual, shared, products, and published examples
    people     a habit on a net: every line that person writes, and which of them are right
    hands      five styles of writing it down
    scanner    slips of optical character recognition, with a record
"""
