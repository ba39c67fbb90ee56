"""One frozen model per notebook; merging of files and command line; the notebooks' parameter cell."""
