"""How sure a share of cells or stimuli is: exact intervals of a count."""


def proportion(k: int, of: int) -> tuple[float, float, float]:
    """k / of, and its 95 % interval (Clopper & Pearson 1934)."""
    from scipy.stats import beta

    low = float(beta.ppf(0.025, k, of - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, of - k)) if k < of else 1.0
    return k / of, low, high
