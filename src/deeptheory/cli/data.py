"""data list, data get: where data comes from."""

from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, put, use_data

data_app = typer.Typer(help="Where data comes from: list it, get it.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")


@data_app.command("list")
def data_list(
    data: Annotated[Path | None, typer.Option(help="Folder to look in first (DEEPTHEORY_DATA).")] = None,
    as_json: Json = False,
) -> None:
    """What data there is, and where it would come from on this machine."""
    from deeptheory.cli.doctor import where
    from deeptheory.datasets import CATALOGUE

    use_data(data)
    rows = [{"name": s.name, "about": s.about, "license": s.license, "where": where(s)} for s in CATALOGUE.values()]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        put(f"{row['name']}: {row['about']}\n  {row['license']}; {row['where']}")


@data_app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="A name that `deeptheory data list` shows.")],
    data: Annotated[Path | None, typer.Option(help="Folder to look in first (DEEPTHEORY_DATA).")] = None,
    as_json: Json = False,
) -> None:
    """Fetch data into the cache now, or say where it is already."""
    from deeptheory.core.names import pick
    from deeptheory.datasets import CATALOGUE

    use_data(data)
    source = pick(CATALOGUE, name, what="data set")
    if source.finder is not None:  # what is generated needs no fetching
        source.get()
    print_json({"name": name, "where": source.where()}) if as_json else put(f"{name}: {source.where()}")
