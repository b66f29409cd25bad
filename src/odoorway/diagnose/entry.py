"""How a diagnosis is written down."""

from odoorway.model.diagnosis import Diagnosis, Fixer


def entry(  # noqa: PLR0913 - each is one fact about it
    code: str,
    fixer: Fixer,
    title: str,
    cause: str,
    *fix: str,
    transient: bool = False,
    repeat_safe: bool = True,
    versions: tuple[tuple[str, str], ...] = (),
) -> Diagnosis:
    """Return the diagnosis; *fix* are its steps, *versions* what differs where."""
    return Diagnosis(
        code=code,
        fixer=fixer,
        title=title,
        cause=cause,
        fix=fix,
        transient=transient,
        repeat_safe=repeat_safe,
        versions=versions,
    )
