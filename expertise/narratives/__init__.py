"""Reads what patients and naasten tell, protects who they are, and helps to find passages."""
