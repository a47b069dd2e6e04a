"""A carrier in a box: places calls to a bridge and plays by the real one's rules."""
