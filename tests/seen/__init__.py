"""A second reader of everything that is printed. It believes nothing but the page and the network's formulas.

    amounts   what a number on a page may mean: a point, or all numbers that round to it
    reading   what is written, as a tree: a tokenizer and precedence climbing of its own
    truth     every value and derivative of a network, to 120 digits, by dual numbers of its own
    pages     where on a page the mathematics stands, in each format
    judging   whether a chain `a = b ≈ c` is true

It shares no code with the readers, the writers or the calculus of the package: what both believe is
then either true, or wrong in the same way twice.
"""
