"""Independent players of quiz formats, and files of other tools to compare with."""
