"""Recorded payloads of each platform: what ``check`` runs handlers on and ``demo`` sends."""

from importlib import resources


def samples(platform: str) -> dict[str, bytes]:
    """Return the recorded payloads of *platform* by topic; empty when there are none."""
    folder = resources.files(__name__) / platform
    if not folder.is_dir():
        return {}
    return {
        one.name.removesuffix(".json").replace("__", "/"): one.read_bytes()
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".json")
    }
