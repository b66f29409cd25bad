"""What befalls Odoo's server: limits, workers, connections, its log tells it."""

from odoorway.diagnose.entry import entry as _d
from odoorway.model.diagnosis import Fixer

_S, _I, _O = Fixer.SENDER, Fixer.INTEGRATOR, Fixer.OPERATIONS

LOGS = (  # what Odoo's own log tells, found by `odoorway doctor logs`
    _d("odoo.worker-time-limit", _O, "A worker was killed: it took too long",
       "A request ran longer than limit_time_real. Odoo's master killed the worker: the sender got"
       " a closed connection and no answer, all was rolled back, and the request has no access"
       " line.",
       "Look in the proxy's log at that second, less the limit, for which request it was.",
       "Do less in the request: store what arrives, answer, and work in a queue.",
       "Else raise limit_time_real.", transient=True),
    _d("odoo.worker-cpu-limit", _O, "A worker was ended: it used too much CPU time",
       "A request used more CPU than limit_time_cpu. The sender got a closed connection and no"
       " answer. The traceback is of the thread that waits, never of the request.",
       "Look in the proxy's log at that second for which request it was.",
       "Find the loop that reads or writes records one by one, and do it in one call.",
       "Else raise limit_time_cpu.", transient=True),
    _d("odoo.worker-memory-limit", _O, "A worker reached its memory limit",
       "Over limit_memory_soft a worker is replaced after its request; over limit_memory_hard the"
       " request ends with a MemoryError.",
       "Look which route reads very many records, or a very large body.",
       "Else raise limit_memory_soft and limit_memory_hard.", transient=True),
    _d("odoo.server-time-limit", _O, "The whole server reloaded: one request took too long",
       "Without workers Odoo looks at limit_time_real once a minute, and when one request is over"
       " it, the server reloads: every request in progress dies with it.",
       "Look at the addon's line that the dump of the threads names.",
       "Run Odoo with workers, so that one slow request ends one worker only.", transient=True),
    _d("odoo.pool-full", _O, "Odoo has no database connection left",
       "More connections were asked for at once than db_maxconn allows. Odoo does not wait: the"
       " request ends with 500 at once, on Odoo 14 at times with 403.",
       "Raise db_maxconn above the number of threads, and PostgreSQL's max_connections with it.",
       "Let the sender send fewer requests at once.",
       "Look for requests that wait on another server with their transaction open.",
       transient=True),
    _d("odoo.arguments-ignored", _I, "Odoo dropped a part of the request",
       "The controller's signature does not take these parameters, so it never saw them.",
       "Add **kw to the controller, or read the body by request.get_json_data()."),
    _d("odoo.rpc-deprecated", _I, "A client uses an API that Odoo will remove",
       "/xmlrpc and /jsonrpc work in Odoo 19 and are announced to end in Odoo 20.",
       "Move the client to /json/2 with an API key before that upgrade."),
    _d("odoo.registry-reloaded", _O, "Odoo loaded its registry anew",
       "A module was installed, upgraded or changed in another process. Requests wait meanwhile.",
       "Nothing, if it was meant. If it goes on, look for who installs modules, or for code that"
       " changes models while Odoo runs.", transient=True),
    _d("odoo.conflict-retried", _O, "Two requests changed the same record; Odoo tried again",
       "PostgreSQL refused one of them and Odoo ran the controller again, with success. The bad"
       " query that is logged before is no failure.",
       "Nothing, unless it is frequent; then let fewer requests change the same record.",
       "Make sure that the controller calls no other server, for it is called each time.",
       transient=True),
    _d("odoo.conflict-exhausted", _O, "Too many requests change the same record",
       "Odoo ran the controller five times (14: six) and was refused each time; the request"
       " failed, after up to a minute.",
       "Let the sender send fewer at once, or queue the webhooks and work through them one after"
       " another.",
       "Look for a record that every request writes: a counter, a total, the company.",
       transient=True),
    _d("odoo.conflict-swallowed", _I, "The controller hid a conflict from Odoo",
       "PostgreSQL refused a change because another request made one. The controller caught the"
       " exception, so Odoo could not run it again: nothing was saved, and the sender may have"
       " read a success.",
       "Let psycopg2.OperationalError pass: never catch Exception around writes, or re-raise it.",
       "Send the event again.", transient=True),
    _d("odoo.read-only-retried", _I, "A controller declared read-only writes",
       "The route has readonly=True and wrote. Odoo ran the whole controller a second time with"
       " a cursor that may write.",
       "Remove readonly=True from the route."),
)  # fmt: skip

SERVER = (
    _d("odoo.database-lost", _O, "Odoo lost its database",
       "PostgreSQL was stopped, restarted or ended the connection while a request ran; it was"
       " rolled back and Odoo does not try again.",
       "See that PostgreSQL runs; send what failed again.", transient=True),
    _d("odoo.unknown-database", _S, "There is no database of that name",
       "The RPC call names one that does not exist; for RPC Odoo does not filter by host.",
       "Correct the database's name in the call."),
    _d("odoo.stopping", _O, "Odoo was stopped while the request ran",
       "Its cursor was closed under the request; all was rolled back.",
       "Nothing: send it again.", transient=True),
    _d("odoo.header-too-long", _S, "A line of the request is too long",
       "The URL or a header is over 64 KiB; Odoo closes the connection without an answer.",
       "Send data in the body, not in the URL."),
    _d("proxy.bad-gateway", _O, "The proxy cannot reach Odoo",
       "nginx or another proxy answered 502 or 503 by itself: Odoo is down, or listens elsewhere.",
       "Start Odoo; compare the proxy's upstream with Odoo's http_port.", transient=True),
    _d("proxy.timeout", _O, "The proxy gave up waiting for Odoo",
       "504: Odoo took longer than the proxy's read timeout, and may still be working.",
       "Raise proxy_read_timeout over limit_time_real, or do less in the request.",
       transient=True, repeat_safe=False),
    _d("proxy.too-large", _O, "The proxy refuses a body of this size",
       "413 by the proxy, before Odoo saw it.",
       "Raise client_max_body_size in nginx."),
    _d("proxy.unavailable", _O, "The proxy, or Odoo behind it, is overloaded or limits the rate",
       "429 or 503.",
       "Send more slowly, or raise the limit.", transient=True),
    _d("network.dns", _S, "The host name does not resolve",
       "DNS has no address for it.",
       "Correct the host name, or its DNS entry."),
    _d("network.refused", _O, "Nobody listens there",
       "The connection was refused: the wrong port, or the server is down.",
       "Start the server, or correct host and port.", transient=True),
    _d("network.timeout", _O, "No connection, or no answer, in time",
       "A firewall drops the packets, or the server is busy.",
       "Check the firewall between, and the server's load.", transient=True),
    _d("tls.expired", _O, "The certificate has expired",
       "No sender that checks certificates will deliver.",
       "Renew it, and the renewal's automation."),
    _d("tls.untrusted", _O, "The certificate is not trusted",
       "It is self-signed, or the chain's intermediate certificate is not sent.",
       "Serve the full chain of a public authority."),
    _d("tls.wrong-name", _O, "The certificate is for another name",
       "The host in the URL is not among its names.",
       "Get a certificate for that host, or correct the URL."),
    _d("tls.failed", _O, "TLS could not be agreed on",
       "The port speaks no TLS, or an old version of it.",
       "Check the port and the proxy's TLS versions."),
    _d("probe.fine", _I, "Nothing wrong was found",
       "The route takes the request as it was sent.",
       "If events are still missing, look at Odoo's log: odoorway doctor logs."),
    _d("probe.not-odoo", _S, "This is no Odoo",
       "Neither its version nor its pages answer as Odoo's do.",
       "Correct the URL: it has to be that of Odoo itself."),
)  # fmt: skip
