"""Arrays to numbers and verdicts: pure functions, each with its definition, its perfection and its noise floor."""
