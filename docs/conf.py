"""The documentation site: `python -m sphinx -W docs build/docs`."""

import importlib.metadata

project = "modgrok"
author = "The modgrok authors"
release = importlib.metadata.version("modgrok")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["notebooks"]
html_theme = "furo"
html_title = f"modgrok {release}"

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # each signature would repeat the types of the sentences below it
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "code"  # docstrings write `names` as Markdown does
