"""From a recipe or a network to exercises: numbers drawn, wrong answers foreseen, checked, ready to hand out."""
