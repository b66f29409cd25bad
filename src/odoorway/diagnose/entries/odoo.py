"""What Odoo answers to the gateway, and to others that write records."""

from odoorway.diagnose.entry import entry as _d
from odoorway.model.diagnosis import Fixer

_I, _A, _O = Fixer.INTEGRATOR, Fixer.ODOO_ADMIN, Fixer.OPERATIONS

ODOO = (
    _d("odoo.unreachable", _O, "Odoo cannot be reached",
       "The connection was refused, reset or could not be made.",
       "Start Odoo, or correct its address (ODOORWAY_ODOO_URL).",
       "What waits in the gateway goes out by itself.", transient=True),
    _d("odoo.timeout", _O, "Odoo did not answer in time",
       "Odoo is busy, or the batch too large for it.",
       "Look at Odoo's load and its worker limits; what the gateway repeats is safe to repeat.",
       transient=True),
    _d("odoo.empty-answer", _O, "Odoo closed the connection without an answer",
       "A worker was killed, mostly by limit_time_real or limit_time_cpu, or Odoo restarted.",
       "Look for 'timeout after' in Odoo's log and raise the limit.", transient=True),
    _d("odoo.unavailable", _O, "Odoo, or the proxy before it, is not available",
       "The answer was 429, 502, 503 or 504.",
       "Look at Odoo and at the proxy's log; what waits goes out by itself.", transient=True),
    _d("odoo.database-not-selected", _A, "Odoo does not know which database is meant",
       "The server has several databases and none fits this request: no dbfilter matches the host,"
       " the name that was given is wrong, or PostgreSQL is down, which looks exactly like it.",
       "Check that PostgreSQL under Odoo runs.",
       "Start Odoo with db_name (-d), or with a dbfilter that leaves one database for this host.",
       "Behind a proxy, let it pass the Host header on.",
       "In the gateway, compare ODOORWAY_ODOO_DATABASE with the name that Odoo serves.",
       versions=(
           ("14 to 18", "A request cannot name its database; ?db= counts on Odoo's pages only."),
           ("19", "The header X-Odoo-Database: <name> selects it, without a session cookie."),
       ), transient=True),
    _d("odoo.bad-key", _A, "Odoo refuses the API key",
       "The key is wrong, expired or of another scope, or its user is inactive; Odoo answers all"
       " four alike.",
       "See that the user is active, and that the key is neither expired nor of a scope but rpc.",
       "Make a new key in the user's preferences, under Account Security, and set it at the sender"
       " (in the gateway ODOORWAY_ODOO_API_KEY)."),
    _d("odoo.login-needed", _O, "An Odoo before 19 needs a login beside the key",
       "Odoo 14 to 18 are spoken to by JSON-RPC, which takes a user's login and the key.",
       "Set ODOORWAY_ODOO_LOGIN to the login of the key's user."),
    _d("odoo.expectation-broken", _I, "Odoo holds something else than the handler expected",
       "The record is written and read back, and a value that `expect=` names differs: mostly a"
       " tax, a currency, a pricelist or a discount that Odoo applies by itself. Both figures are"
       " shown.",
       "Compare the lines of the record in Odoo with the payload: what Odoo added tells which"
       " setting or which field of the handler it comes from.",
       "Correct the handler or the setting, then replay: the record is updated.",
       "If it is right as it is in Odoo, accept it, or correct `expect=`."),
    _d("odoo.refused-on-the-way", _O, "Something in front of Odoo refuses this one delivery",
       "A page that is not Odoo's answers this delivery, tried alone, while others reach Odoo: a"
       " proxy, a web application firewall or a CDN takes its content for an attack, or its size"
       " for too large. The answer shown names it.",
       "Look into that proxy's log at the time of the attempt, and let requests of the gateway's"
       " address to /json/2/ and /jsonrpc pass unchecked.",
       "Then replay."),
    _d("odoo.not-odoo", _O, "The URL does not answer as Odoo's API does",
       "A redirect, an HTML page or another server answered.",
       "Use Odoo's final https address, without a path (ODOORWAY_ODOO_URL)."),
    _d("odoo.conflict", _O, "Another transaction changed the same record",
       "PostgreSQL refused to serialize the two, and undid this one.",
       "Send it again: the gateway does so by itself.",
       "If it goes on, let fewer requests at once change the same record.", transient=True),
    _d("odoo.server-error", _I, "Odoo failed inside",
       "An error of Odoo's or of one of its modules, with the message shown.",
       "Look at Odoo's log at the time of the attempt.", transient=True),
    _d("odoo.access-denied", _A, "The user has no right to do this",
       "An access right forbids it to the user the request runs as: the API key's user, or the"
       " public user of a route with auth='public'.",
       "Give that user the group that Odoo's message names.",
       "In a controller with auth='public' use sudo(), once the sender's signature is checked.",
       versions=(
           ("14, 15", "A route of type='http' answers 500 for it, not 403."),
       )),
    _d("odoo.unknown-model", _I, "Odoo has no such model or method",
       "The name is wrong, or the module that brings it is not installed in this database.",
       "Correct the name, or install the module; then send it again."),
    _d("odoo.unknown-field", _I, "Odoo has no such field",
       "The model has no field of that name in this database.",
       "Correct the name, or install the module that brings the field; then send it again.",
       "Never hand a payload's own keys to create() or write(): map each to a field."),
    _d("odoo.missing-required", _I, "A required field is missing",
       "Odoo needs a value that was not given.",
       "Give the field, or a default in Odoo; then send it again.",
       versions=(("14, 15", "A route of type='http' answers 500 for it, not 422."),)),
    _d("odoo.invalid-value", _I, "Odoo cannot store a value",
       "A value does not fit its field: too large a number, a NUL character, or otherwise not of"
       " the field's type.",
       "Correct the value before it is written, then send it again."),
    _d("odoo.no-match", _I, "A record that is referred to does not exist",
       "The id, the external ID or the find() names a record that was deleted, never existed, or is"
       " not visible to this user.",
       "Look whether the record is in this database, and create it if it is missing.",
       "In a controller check browse(int(id)).exists(), and answer 404 yourself.",
       "In the gateway say what should happen: find(..., missing=...); then replay.",
       versions=(("14, 15", "A route of type='http' answers 500 for it, not 404."),)),
    _d("odoo.awaiting-match", _I, "A record that is referred to does not exist yet",
       "find(..., missing='retry') matched nothing; it is asked again.",
       "Nothing, if the record will come.", transient=True),
    _d("odoo.many-matches", _I, "A lookup matched several records",
       "find() must match one record; writing to any of several could be wrong.",
       "Give find() more fields, until one record is left: for a state its country.",
       "Where the records shown are one and the same, merge them in Odoo.",
       "Then replay."),
    _d("odoo.not-adopted", _I, "The record that match= found is not a customer's",
       "match= found the contact of a company of this Odoo, of somebody who logs in to it, or of"
       " the public user. Adopted, it would be renamed by each of the sender's events.",
       "Look at the payload: mostly it is a test with a colleague's mail address, or the shop's.",
       "Give match= more fields, so that it finds customers only.",
       "If it is meant: adopt='portal' adopts customers with a portal login too, adopt='any'"
       " whoever matches; then replay."),
    _d("odoo.wrong-reference", _I, "A value refers to a record that does not exist",
       "Odoo says that another model is using the record to be deleted; on writing it means that"
       " a database id in a value, mostly of a many2one, does not exist.",
       "Look the record up in this database before you refer to it; ids differ from one database to"
       " the next.",
       "In the gateway refer by find() or by an Upsert; then replay."),
    _d("odoo.validation", _I, "Odoo refuses the record",
       "A constraint or a rule of Odoo's, with the message shown.",
       "Correct the data, then send it again.",
       versions=(("14, 15", "A route of type='http' answers 500 for it, not 422."),)),
    _d("odoo.not-unique", _I, "Another record already has this unique value",
       "A unique constraint forbids a second record with that value. For a webhook that is mostly"
       " the same event, delivered twice: then all is well.",
       "Look the record up first, and update it when it is there.",
       "Answer 200 when it is the same event: else the platform sends it for ever.",
       "In the gateway use the same key in Upsert for both, then replay."),
    _d("odoo.unexpected-answer", _I, "Odoo answered something unexpected",
       "The answer fits no known case; the detail shows it.",
       "Report it with the detail, so that it gets a diagnosis of its own.", transient=True),
)  # fmt: skip
