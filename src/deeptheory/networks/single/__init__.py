"""One module trained by any loss, on minibatches, with checkpoints."""
