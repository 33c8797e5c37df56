"""How many neurons and synapses are needed: lower bounds, upper bounds, costs."""
