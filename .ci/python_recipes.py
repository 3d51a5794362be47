"""Runs the Python in the documents: the blocks after `<!-- recipe: NAME -->`."""

from common import ROOT
from markdown import documented_recipes

PYJWT = "PyJWT[crypto]==2.15.1"
RECIPES = {"fastapi", "pyjwks", "pyjwt"}


def run_recipe(name: str, **variables: object) -> dict:
    """Runs the Python recipe with these variables, and returns them with those that it sets."""
    recipes = documented_recipes(ROOT, {"python"})
    if recipes.keys() != RECIPES:
        raise SystemExit(f"the documents have the Python recipes {sorted(recipes)} instead of {sorted(RECIPES)}")
    exec(recipes[name], variables)  # noqa: S102
    return variables
