"""What ``bench`` can measure, a module each, and the house that they measure."""
