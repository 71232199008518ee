"""The packages that an integration needs."""

from __future__ import annotations

from importlib import import_module


def require(extra: str, *modules: str) -> str:
    """Import the first of some modules that is installed, and return its name.

    Parameters
    ----------
    extra : str
        Name of the integration and of the extra that installs its packages.
    *modules : str
        Alternatives.

    Raises
    ------
    ModuleNotFoundError
        If none is installed; the message names the extra.

    Examples
    --------
    >>> require("numpy", "numpy_of_the_future", "numpy")
    'numpy'
    """
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
        else:
            return module
    message = (
        f"nsa_augment.integrations.{extra} needs {' or '.join(modules)}: "
        f"install it with pip install 'nsa-augment[{extra}]'"
    )
    raise ModuleNotFoundError(message, name=modules[0])
