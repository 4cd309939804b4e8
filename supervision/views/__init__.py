"""Pages of cases: lists, one case, the acts of the office, what the school says."""
