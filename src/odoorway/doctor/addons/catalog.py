"""Every rule, with why it is one and an example of both."""

from odoorway.doctor.addons.rule import Rule, Severity

_E, _W, _N = Severity.ERROR, Severity.WARNING, Severity.NOTE


def _rule(  # noqa: PLR0913, PLR0917 - each is one fact about it
    code: str, severity: Severity, title: str, why: str, bad: str, good: str, *, fix: bool = False
) -> Rule:
    return Rule(code=code, severity=severity, title=title, why=why, bad=bad, good=good, fixable=fix)


def _hook(args: str, body: str = "return request.make_json_response({})") -> str:
    return f"    @route({args})\n    def hook(self, **kw):\n        {body}\n"


_CHECKED = "self._verify_signature()\n        return request.make_json_response({})"
_BASE = (
    "class A(http.Controller):\n    @route('/a', type='http', auth='user')\n"
    "    def page(self):\n        return 'a'\n\n\n"
)
_OPEN = "'/shop/webhook', type='http', auth='public', methods=['POST'], csrf=False"

RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        _rule("route-keyword", _E, "Unknown keyword in @route",
              "Odoo takes it without a word, and it does nothing: crsf=False leaves CSRF on.",
              _hook("'/shop/webhook', type='http', auth='public', crsf=False", _CHECKED),
              _hook("'/shop/webhook', type='http', auth='public', csrf=False", _CHECKED), fix=True),
        _rule("route-csrf", _E, "A webhook with CSRF protection",
              "type='http' wants a token that only Odoo's own pages have: every POST is 400.",
              _hook("'/shop/webhook', type='http', auth='public', methods=['POST']", _CHECKED),
              _hook(_OPEN, _CHECKED), fix=True),
        _rule("route-auth-unknown", _E, "Unknown auth",
              "Odoo has no such way to authenticate: every request is 403.",
              _hook("'/shop/webhook', type='http', auth='pubic', csrf=False", _CHECKED),
              _hook("'/shop/webhook', type='http', auth='public', csrf=False", _CHECKED), fix=True),
        _rule("route-auth-user", _E, "A webhook that wants a logged-in user",
              "A platform has no session; it is sent to the login page. No auth= means 'user'.",
              _hook("'/shop/webhook', type='http', methods=['POST'], csrf=False", _CHECKED),
              _hook(_OPEN, _CHECKED)),
        _rule("route-methods", _E, "methods is a text",
              "It is read letter by letter: 405 for all; on Odoo 14 the whole database fails.",
              _hook("'/shop/webhook', type='http', auth='public', methods='POST', csrf=False",
                    _CHECKED),
              _hook(_OPEN, _CHECKED), fix=True),
        _rule("route-path", _E, "A path without a leading slash",
              "Odoo cannot build its routes: every URL of the database fails.",
              _hook("'shop/webhook', type='http', auth='public', csrf=False", _CHECKED),
              _hook("'/shop/webhook', type='http', auth='public', csrf=False", _CHECKED), fix=True),
        _rule("route-converter", _E, "A malformed converter in a path",
              "Odoo cannot build its routes: every URL of the database fails.",
              _hook("'/shop/<model:res.partner:p>', type='http', auth='public', csrf=False",
                    _CHECKED),
              _hook("'/shop/<model(\"res.partner\"):p>', type='http', auth='public', csrf=False",
                    _CHECKED)),
        _rule("route-type", _E, "Unknown type of route",
              "The module cannot be loaded: a type is 'http', 'json' or, from 19 on, 'jsonrpc'.",
              _hook("'/shop/webhook', type='JSON', auth='public'", _CHECKED),
              _hook("'/shop/webhook', type='http', auth='public', csrf=False", _CHECKED), fix=True),
        _rule("route-envelope", _E, "A webhook of type json that reads its arguments",
              "Only what stands under params arrives; a platform sends no params, so the function"
              " sees nothing, and Odoo answers 200.",
              "    @route('/shop/webhook', type='json', auth='public')\n"
              "    def hook(self, **kw):\n        self._verify_signature()\n"
              "        self._import_order(kw.get('order'))\n",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        return self._import_order(request.get_json_data)")),
        _rule("route-website", _W, "website=True on a webhook",
              "Odoo redirects by language and answers errors with themed pages.",
              _hook(_OPEN + ", website=True", _CHECKED), _hook(_OPEN, _CHECKED)),
        _rule("route-any-method", _W, "A webhook that writes on any method",
              "Without methods= a GET, by a browser's preview or a scanner, runs it too.",
              _hook("'/shop/webhook', type='http', auth='public', csrf=False",
                    "self._verify_signature()\n"
                    "        request.env['x'].sudo().search([]).write({'a': 1})"),
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['x'].sudo().search([]).write({'a': 1})")),
        _rule("route-cors-user", _W, "cors='*' for logged-in users",
              "Any web page may call it in the name of whoever is logged in.",
              _hook("'/api/me', type='http', auth='user', cors='*', csrf=False"),
              _hook("'/api/me', type='http', auth='user', cors='https://shop.example.com'")),
        _rule("route-read-only", _W, "readonly=True on a route that writes",
              "With a replica Odoo runs the whole function twice.",
              _hook(_OPEN + ", readonly=True", "self._verify_signature()\n"
                    "        request.env['x'].sudo().search([]).write({'a': 1})"),
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['x'].sudo().search([]).write({'a': 1})")),
        _rule("route-not-imported", _E, "Routes in a file that nothing imports",
              "Odoo never sees them: 404.", "", ""),
        _rule("route-duplicate", _W, "Two routes have one path",
              "Which of them answers depends on the names of the modules.", "", ""),
        _rule("override-undecorated", _W, "A route is overridden without @route",
              "On Odoo 14 it is 404; later versions take it with a warning.",
              _BASE + "class B(A):\n    def page(self):\n        return 'b'\n",
              _BASE + "class B(A):\n    @route()\n    def page(self):\n        return 'b'\n"),
        _rule("override-type", _E, "An override changes the route's type",
              "The first type stays: 500 on 19, 400 on 14.",
              _BASE + "class B(A):\n    @route(type='json')\n"
              "    def page(self):\n        return 'b'\n",
              _BASE + "class B(A):\n    @route()\n    def page(self):\n        return 'b'\n"),
        _rule("override-path", _W, "An override with another path drops the first one",
              "The path that senders know becomes 404.",
              _BASE + "class B(A):\n    @route('/b', type='http', auth='user')\n"
              "    def page(self):\n        return 'b'\n",
              _BASE + "class B(A):\n    @route(['/a', '/b'], type='http', auth='user')\n"
              "    def page(self):\n        return 'b'\n"),
        _rule("return-dict", _E, "type='http' returns a dict or a tuple",
              "Odoo cannot answer with it: 500.",
              _hook(_OPEN, "self._verify_signature()\n        return {'ok': True}"),
              _hook(_OPEN, _CHECKED)),
        _rule("return-response", _E, "A jsonrpc route returns a Response",
              "Its body and status are lost: the sender reads an empty result with 200.",
              "    @route('/api/x', type='json', auth='user')\n    def x(self):\n"
              "        return request.make_json_response({}, status=409)\n",
              "    @route('/api/x', type='json', auth='user')\n    def x(self):\n"
              "        return {'ok': True}\n"),
        _rule("return-error", _W, "An error is answered as a success",
              "HTTP 200 with an error inside: the sender takes it for done and never tries again.",
              _hook(_OPEN, "self._verify_signature()\n        try:\n            self._do()\n"
                    "        except ValueError:\n"
                    "            return request.make_json_response({'error': 'bad'})"),
              _hook(_OPEN, "self._verify_signature()\n        try:\n            self._do()\n"
                    "        except ValueError:\n            return request.make_json_response("
                    "{'error': 'bad'}, status=400)")),
        _rule("return-exception-text", _W, "The text of an exception is sent to the caller",
              "It tells strangers about tables, values and paths.",
              _hook(_OPEN, "self._verify_signature()\n        try:\n            self._do()\n"
                    "        except ValueError as e:\n"
                    "            return request.make_json_response({'message': str(e)}, 400)"),
              _hook(_OPEN, "self._verify_signature()\n        try:\n            self._do()\n"
                    "        except ValueError:\n            return request.make_json_response("
                    "{'message': 'not an order'}, status=400)")),
        _rule("response-class", _E, "The status of all answers is changed",
              "Response.status on the class: on Odoo 14 every later answer of the worker has it.",
              _hook(_OPEN, "self._verify_signature()\n        Response.status = '400'\n"
                    "        return 'x'"),
              _hook(_OPEN, "self._verify_signature()\n        return Response('x', status=400)")),
        _rule("signature-missing", _W, "Anybody may post to this webhook",
              "It is public, without CSRF, and nothing in it checks a signature or a secret.",
              _hook(_OPEN, "return request.make_json_response({})"), _hook(_OPEN, _CHECKED)),
        _rule("signature-compare", _E, "A secret is compared by ==",
              "How long that takes tells how much of it was right. Use hmac.compare_digest.",
              _hook(_OPEN, "if kw['signature'] != expected:\n            return 'no'"),
              _hook(_OPEN, "if not hmac.compare_digest(kw['signature'], expected):\n"
                    "            return 'no'")),
        _rule("except-swallows", _W, "An exception around writes is swallowed",
              "What was written before is kept, half; and Odoo cannot run the request again after"
              " a serialization failure.",
              _hook(_OPEN, "self._verify_signature()\n        try:\n"
                    "            request.env['x'].sudo().search([]).write({})\n"
                    "        except Exception:\n            pass"),
              _hook(_OPEN, "self._verify_signature()\n        try:\n"
                    "            with request.env.cr.savepoint():\n"
                    "                request.env['x'].sudo().search([]).write({})\n"
                    "        except ValueError:\n            pass")),
        _rule("cr-commit", _W, "cr.commit() in a controller",
              "What fails afterwards leaves half a change, and a repeat does it twice.",
              _hook(_OPEN, "self._verify_signature()\n        request.env.cr.commit()"),
              _hook(_OPEN, _CHECKED)),
        _rule("outside-call", _W, "Another server is called inside the request",
              "Odoo runs the request again after a conflict, up to six times: the call is repeated,"
              " and the worker waits meanwhile.",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        requests.post('https://x', timeout=5)"),
              _hook(_OPEN, _CHECKED)),
        _rule("outside-timeout", _W, "A call to another server without a time limit",
              "requests waits for ever; the worker with it.",
              _hook("'/a', type='http', auth='user'", "requests.get('https://x')"),
              _hook("'/a', type='http', auth='user'", "return 'x'")),
        _rule("json-unguarded", _W, "Broken JSON becomes a 500",
              "The sender takes a 500 for a passing failure and sends it again and again.",
              _hook(_OPEN, "self._verify_signature()\n        order = request.get_json_data()"),
              _hook(_OPEN, "self._verify_signature()\n        try:\n"
                    "            order = request.get_json_data()\n        except ValueError:\n"
                    "            return request.make_json_response({}, status=400)")),
        _rule("jsonrequest", _W, "request.jsonrequest is gone since Odoo 16",
              "Use request.get_json_data() there; it works for type='http' too.",
              "    @route('/shop/webhook', type='json', auth='public')\n"
              "    def hook(self):\n        self._verify_signature()\n"
              "        return request.jsonrequest\n",
              _hook(_OPEN, "self._verify_signature()\n        try:\n"
                    "            order = request.get_json_data()\n        except ValueError:\n"
                    "            return request.make_json_response({}, status=400)")),
        _rule("payload-to-orm", _E, "The whole payload is written into a record",
              "The sender chooses the fields; an unknown one is a 500.",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['res.partner'].sudo().search([]).write(kw)"),
              _hook(_OPEN, "self._verify_signature()\n        request.env['res.partner'].sudo()"
                    ".search([]).write({'name': kw.get('name')})")),
        _rule("browse-unchecked", _W, "sudo() on an id that the sender chose",
              "A write to a record that does not exist is no error as superuser: 200, and nothing"
              " happened.",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['x'].sudo().browse(int(kw['id'])).write({'a': 1})"),
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['x'].sudo().browse(int(kw['id'])).exists().write({'a': 1})"
                    )),
        _rule("relation-unchecked", _W, "A relation is set to an id that the sender chose",
              "An id that does not exist is a 422 about a deletion; one that does, anybody's.",
              _hook(_OPEN, "self._verify_signature()\n        Order = request.env['x'].sudo()\n"
                    "        Order.write({'partner_id': kw['partner']})"),
              _hook(_OPEN, "self._verify_signature()\n"
                    "        partner = self._partner(kw)\n"
                    "        request.env['x'].sudo().write({'partner_id': partner.id})")),
        _rule("body-unlimited", _N, "A webhook takes a body of any size",
              "Odoo reads up to 128 MiB into memory before the controller looks at it."
              " max_content_length= on the route (18 on) refuses larger ones.",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        return str(len(request.httprequest.get_data()))"),
              _hook(_OPEN + ", max_content_length=1000000", "self._verify_signature()\n"
                    "        return str(len(request.httprequest.get_data()))")),
        _rule("create-without-key", _W, "A webhook creates a record and knows it by nothing",
              "Platforms send an event again; each time is one more record.",
              _hook(_OPEN, "self._verify_signature()\n"
                    "        request.env['sale.order'].sudo().create({'note': 'x'})"),
              _hook(_OPEN, "self._verify_signature()\n        Order = request.env['sale.order']\n"
                    "        return Order.sudo()._upsert_by_reference(kw.get('id'))")),
        _rule("search-then-create", _N, "Search, then create",
              "Two deliveries at once both find nothing and both create. Only a unique constraint"
              " prevents it.",
              _hook(_OPEN, "self._verify_signature()\n        Order = request.env['sale.order']\n"
                    "        order = Order.search([('ref', '=', kw['id'])])\n"
                    "        order or Order.create({'ref': kw['id']})"),
              _hook(_OPEN, _CHECKED)),
        _rule("auth-none-orm", _E, "auth='none' and the ORM",
              "There is no user, so request.env fails: 500.",
              _hook("'/shop/webhook', type='http', auth='none', methods=['POST'], csrf=False",
                    "self._verify_signature()\n        request.env['x'].search([])"),
              _hook(_OPEN, "self._verify_signature()\n        request.env['x'].search([])")),
        _rule("argument-required", _W, "A webhook with a required argument",
              "When the sender leaves it out, the request is a 500.",
              "    @route(" + _OPEN + ")\n    def hook(self, order, **kw):\n"
              "        self._verify_signature()\n",
              "    @route(" + _OPEN + ")\n    def hook(self, order=None, **kw):\n"
              "        self._verify_signature()\n"),
        _rule("file-unreadable", _E, "The file is no Python 3",
              "Odoo cannot load the module.", "", ""),
    )
}  # fmt: skip
