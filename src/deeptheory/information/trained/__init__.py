"""Trained estimators of mutual information: infonce, nwj, dv, smile, doe, lmi, flow (methods.py).

From an array to the Estimate: methods.py -> contrast.py (critics), densities.py (DoE), flows.py or latents.py (LMI) ->
coordinates.py (columns) -> splits.py (who learns from which rows) -> rows.py (tensors) -> critics.py, bounds.py ->
training.py (the loop) -> outcome.py (value, interval, doubts). Nothing here is loaded before it is asked for.
"""
