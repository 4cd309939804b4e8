"""Monthly reports of evaluators and half-year summaries of evaluators and schools (SX 四.3)."""
