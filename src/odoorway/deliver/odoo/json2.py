"""Odoo 19's JSON-2 API."""

from typing import Any

from odoorway.deliver.odoo.transport import Answer, Http, needed


class Json2:
    """Calls methods of one Odoo database.

    The key is sent in a header, and is never a part of an error or of the repr.
    """

    def __init__(self, url: str, database: str, api_key: str, **limits: Any) -> None:
        """Take Odoo's address without a path; *limits* are those of ``Http``."""
        self._database = database
        headers = {"Authorization": f"bearer {api_key}", "X-Odoo-Database": database}
        self._http = Http(url, headers, **limits)

    def __repr__(self) -> str:
        return f"Json2({self._http.url!r}, {self._database!r})"

    async def call(self, model: str, method: str, **body: Any) -> Answer:
        """Call a method of a model with named arguments; ``ids`` and ``context`` among them.

        Raises:
            TransportFailure: there was no answer, or too large a one.
        """
        path = f"/json/2/{model}/{method}"
        what, most = f"{model}.{method}", needed(method, body)
        return await self._http.request("POST", path, body, what=what, most=most)

    @property
    def http(self) -> Http:
        """Requests to the server."""
        return self._http

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()
