"""The bench: responses of a population and features of its stimuli go in, what the units code comes out."""
