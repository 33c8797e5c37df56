"""The independent units of a study: networks or draws, numbered from the run's seed."""

from deeptheory.runs import chunks, members


def seeds(settings: dict, count: str = "networks") -> list[int]:
    """The networks of the run, the same in every step, so that steps pair them. count:
    the setting that says how many."""
    return members(settings["seed"], settings[count])


def in_chunks(settings: dict, count: str = "networks") -> list[list[int]]:
    """The same in chunks that are worked on together: of as many as the setting `chunk` says,
    or of one where the study has none."""
    return chunks(seeds(settings, count), settings.get("chunk", 1))
