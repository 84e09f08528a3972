"""A network as code: values forward and derivatives backward, written out by hand in a programming language."""
