"""Mixed-effects models of outcomes, from formula to inference."""
