"""Which diagnosis an exception has: by its class and what it says. Pure.

The first line that fits counts. What quotes the payload's own values stands where a value
cannot pretend to be something else.
"""

import re
from typing import NamedTuple

from odoorway.diagnose.fault import Fault


class ExceptionRule(NamedTuple):
    """A class (its short name, or "" for any) and a pattern of the message."""

    classes: str
    pattern: re.Pattern[str]
    code: str


def _rule(classes: str, pattern: str, code: str) -> ExceptionRule:
    return ExceptionRule(classes, re.compile(pattern), code)


_BUSINESS = "UserError|ValidationError|"
_RULES = (
    # tables of the database and its connections
    _rule("SerializationFailure|DeadlockDetected", "", "odoo.conflict"),
    _rule("LockError|LockNotAvailable", "", "odoo.lock-timeout"),
    _rule("QueryCanceled", "", "odoo.statement-timeout"),
    _rule("PoolError", "", "odoo.pool-full"),
    _rule("UndefinedColumn|UndefinedTable", "", "odoo.missing-column"),
    _rule("UniqueViolation", "", "odoo.not-unique"),
    _rule("NotNullViolation", "", "odoo.missing-required"),
    _rule("ForeignKeyViolation", r"update or delete on table", "odoo.delete-restricted"),
    _rule("ForeignKeyViolation", "", "odoo.wrong-reference"),
    _rule("CheckViolation", "", "odoo.validation"),
    _rule("OperationalError", r'database ".*" does not exist', "odoo.unknown-database"),
    _rule("InterfaceError", r"cursor already closed|Cursor", "odoo.stopping"),
    _rule("OperationalError|InterfaceError|AdminShutdown", "", "odoo.database-lost"),
    _rule("SyntaxError", r"syntax error at or near|LINE \d", "odoo.sql-error"),
    _rule("UndefinedFunction|InFailedSqlTransaction|AmbiguousColumn", "", "odoo.sql-error"),
    _rule("InvalidTextRepresentation|DatatypeMismatch", "", "odoo.wrong-type"),
    _rule("ProgrammingError", r"can't adapt type", "odoo.wrong-type"),
    _rule("DatetimeFieldOverflow|InvalidDatetimeFormat", "", "odoo.wrong-type"),
    _rule("NumericValueOutOfRange", "", "odoo.invalid-value"),
    _rule("MemoryError", "", "odoo.worker-memory-limit"),
    # who may do what
    _rule("AccessDenied", "", "odoo.login-failed"),
    _rule("Unauthorized", r"Invalid apikey", "odoo.bad-key"),
    _rule("Unauthorized", r"User not authenticated", "odoo.no-key"),
    _rule("SessionExpiredException", "", "odoo.login-required"),
    _rule("AccessError", r"user: None|uid: None|, user id: None", "odoo.no-user"),
    _rule("AccessError|", r"Private method", "odoo.private-method"),
    _rule("AccessError|", r"^Uh-oh! Looks like|Due to security restrictions", "odoo.record-rule"),
    _rule("AccessError|", r"unauthorized or invalid companies", "odoo.record-rule"),
    _rule("AccessError|", r"You are not allowed to (?:access|create|modify|delete)",
          "odoo.access-denied"),
    _rule("AccessError", "", "odoo.access-denied"),
    _rule("AttributeError", r"_auth_method_", "odoo.auth-unknown"),
    # what Odoo says of records
    _rule("MissingError|UserError|", r"^Record does not exist or has been deleted",
          "odoo.no-match"),
    _rule("MissingError", "", "odoo.no-match"),
    _rule("RedirectWarning", "", "odoo.setup-needed"),
    _rule(_BUSINESS, r"Missing required value for|mandatory field is not set",
          "odoo.missing-required"),
    _rule(_BUSINESS, r"[Aa]nother model (?:is using|requires) the record", "odoo.wrong-reference"),
    _rule(_BUSINESS, r"must be unique|duplicate key value|already exists", "odoo.not-unique"),
    _rule("UserError|", r"^Object [\w.]{1,100} doesn't exist", "odoo.unknown-model"),
    _rule("UserError", r"^Unable to send email|^Unable to log", "odoo.setup-needed"),
    _rule("UserError|ValidationError", "", "odoo.validation"),
    _rule("ValueError|KeyError", r"^Wrong value for [\w.]{1,200}: ", "odoo.wrong-selection"),
    _rule("ValueError", r"^Invalid field '?[\w.]{1,200}'? (?:in|on) ", "odoo.unknown-field"),
    _rule("ValueError", r"^Invalid field [\w.]{1,200} in (?:condition|leaf|domain)",
          "odoo.bad-domain"),
    _rule("ValueError", r"Invalid leaf|invalid domain|Invalid domain", "odoo.bad-domain"),
    _rule("TypeError", r"invalid argument type for domain", "odoo.bad-domain"),
    _rule("ValueError", r"^External ID not found in the system", "odoo.unknown-xmlid"),
    _rule("ValueError", r"^Expected singleton: res\.users\(\)", "odoo.no-user"),
    _rule("ValueError", r"^Expected singleton", "odoo.singleton"),
    _rule("ValueError", r"cannot contain NUL", "odoo.invalid-value"),
    _rule("ValueError", r"^(?:invalid literal for int|could not convert string to float)",
          "odoo.wrong-type"),
    _rule("ValueError", r"^time data .{0,200} does not match format|unconverted data remains"
          r"|Invalid isoformat", "odoo.wrong-type"),
    # how the request came
    _rule("ValueError", r"malformed url rule|must start with a (?:leading )?slash",
          "odoo.bad-route"),
    _rule("TypeError|", r"cannot marshal None", "odoo.rpc-none-result"),
    _rule("TypeError", r"'methods' (?:parameter |argument )?should be a list",
          "odoo.methods-is-text"),
    _rule("BadRequest|", r"Function declared as capable of handling request of type",
          "odoo.wrong-request-type"),
    _rule("BadRequest|", r"could not parse the body as json", "odoo.body-not-json"),
    _rule("BadRequest|", r"Invalid JSON data", "odoo.body-not-json"),
    _rule("NotFound|", r"the model '.{0,200}' does not exist", "odoo.unknown-model"),
    _rule("NotFound|", r"Did you mean POST /json/2", "odoo.json2-path"),
    _rule("AttributeError|NotFound|", r"^[Tt]he method '.{0,200}' does not exist",
          "odoo.unknown-model"),
    _rule("AttributeError", r"^type object '[\w.]{1,200}' has no attribute", "odoo.unknown-model"),
    _rule("UnprocessableEntity|TypeError", r"^missing a required argument", "odoo.json2-arguments"),
    _rule("UnprocessableEntity", "", "odoo.json2-arguments"),
    _rule("RequestEntityTooLarge", "", "odoo.body-too-large"),
    _rule("JSONDecodeError|UnicodeDecodeError", "", "odoo.body-not-json"),
    _rule("TypeError", r"got multiple values for (?:keyword )?argument 'self'",
          "odoo.argument-self"),
    _rule("TypeError", r"missing \d+ required positional argument", "odoo.argument-missing"),
    _rule("TypeError", r"returns an invalid value", "odoo.invalid-return"),
    _rule("TypeError", r"^'(?:dict|tuple|list)' object is not callable", "odoo.invalid-return"),
    _rule("ConnectionError|ConnectTimeout|ReadTimeout|Timeout|MaxRetryError|SSLError|URLError"
          "|ConnectionRefusedError|gaierror|HTTPError", "", "odoo.outside-call-failed"),
    _rule("NotFound", r"The requested URL was not found on the server", "odoo.route-not-found"),
    _rule("BadRequest|Forbidden|NotFound|Conflict|HTTPException", "", "odoo.refused-by-controller"),
    # plain mistakes
    _rule("KeyError", r"^'?[a-z_0-9]+(?:\.[a-z_0-9]+)+'?$", "odoo.unknown-model"),
    _rule("KeyError", "", "odoo.payload-key-missing"),
    _rule("AttributeError", r"^'(?:bool|NoneType)' object has no attribute", "odoo.null-value"),
    _rule("TypeError", r"^'(?:bool|NoneType)' object is not (?:subscriptable|iterable)",
          "odoo.null-value"),
    _rule("TypeError", r"list indices must be integers|string indices must be",
          "odoo.body-not-an-object"),
    _rule("AttributeError", r"^'(?:list|str|int|float)' object has no attribute 'get'",
          "odoo.body-not-an-object"),
    _rule("TypeError|AttributeError|ZeroDivisionError|RecursionError|IndexError|NameError"
          "|NotImplementedError|AssertionError|UnboundLocalError|ValueError|RuntimeError"
          "|ImportError|ModuleNotFoundError|OSError|Exception", "", "odoo.addon-error"),
)  # fmt: skip
_TRACEBACK = "Traceback (most recent call last)"


def code_of(fault: Fault) -> str | None:
    """Return the diagnosis of *fault*, or None when nothing is known of it."""
    message = fault.message[:2_000]
    for rule in _RULES:
        if fault.short in rule.classes.split("|") and rule.pattern.search(message):
            return _precisely(rule.code, fault)
    return "odoo.addon-error" if fault.name and _TRACEBACK in fault.trace else None


def _precisely(code: str, fault: Fault) -> str:
    """Tell apart what Odoo words alike: a wrong id on writing, and a deletion that is forbidden."""
    deleting = re.search(r"\bin unlink\b|\.unlink\(|requires the record being deleted", fault.trace)
    if code == "odoo.wrong-reference" and (deleting or "update or delete" in fault.trace):
        return "odoo.delete-restricted"
    return code
