"""The exercises, one module per notebook: the stub is not yet an answer, the folded solution passes, wrong answers get the hint that fits."""
