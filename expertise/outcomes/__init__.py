"""Did people change, by more than chance, and does the service learn from it?"""
