"""What ``doctor`` and ``config check`` look at, each finding with its remedy."""
