"""People who code a study together: one front end, on a page and in JupyterLab."""
