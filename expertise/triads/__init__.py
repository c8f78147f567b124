"""Sets perspectives on one person side by side: what do they know together?"""
