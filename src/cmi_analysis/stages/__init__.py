"""One module per notebook: a slice and parameters in, a frozen result of tidy frames out."""
