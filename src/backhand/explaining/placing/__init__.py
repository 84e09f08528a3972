"""The work behind `explaining.layout`, a module for each question it asks."""
