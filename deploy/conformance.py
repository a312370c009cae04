#!/usr/bin/env python3
"""Writes docs/conformance.md from the event stream of a test run:

    swift test --filter '^ProtocolTests\\.' --event-stream-output-path events.jsonl
    deploy/conformance.py events.jsonl

Suites titled "Conformance: A and B" hold the modules of the plans A and B; each test is titled with its
module's name. It fails if a module of the list below has no test, or one that did not pass.
"""
import json
import pathlib
import sys

BASIC = """
oidcc-server oidcc-response-type-missing oidcc-idtoken-signature oidcc-idtoken-unsigned oidcc-userinfo-get
oidcc-userinfo-post-header oidcc-userinfo-post-body oidcc-ensure-request-without-nonce-succeeds-for-code-flow
oidcc-scope-profile oidcc-scope-email oidcc-scope-address oidcc-scope-phone oidcc-scope-all
oidcc-alternate-happy-flow oidcc-display-page oidcc-display-popup oidcc-prompt-login
oidcc-prompt-none-not-logged-in oidcc-prompt-none-logged-in oidcc-max-age-1 oidcc-max-age-10000
oidcc-ensure-request-with-unknown-parameter-succeeds oidcc-id-token-hint oidcc-login-hint oidcc-ui-locales
oidcc-claims-locales oidcc-ensure-request-with-acr-values-succeeds oidcc-codereuse oidcc-codereuse-30seconds
oidcc-ensure-registered-redirect-uri oidcc-ensure-post-request-succeeds oidcc-server-client-secret-post
oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported
oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported oidcc-claims-essential
oidcc-ensure-request-object-with-redirect-uri oidcc-refresh-token
oidcc-ensure-request-with-valid-pkce-succeeds
"""

# The modules of each plan, in its order; Dynamic is that of response type code.
PLANS = {
    "Basic": BASIC,
    "Form Post Basic": BASIC,
    "Config": "oidcc-discovery-endpoint-verification",
    "Dynamic": """
oidcc-idtoken-rs256 oidcc-idtoken-unsigned oidcc-userinfo-rs256
oidcc-ensure-redirect-uri-in-authorization-request oidcc-redirect-uri-query-OK
oidcc-redirect-uri-query-mismatch oidcc-redirect-uri-query-added oidcc-redirect-uri-regfrag
oidcc-discovery-endpoint-verification oidcc-server oidcc-registration-logo-uri
oidcc-registration-policy-uri oidcc-registration-tos-uri oidcc-registration-jwks-uri
oidcc-registration-sector-uri oidcc-registration-sector-bad oidcc-server-rotate-keys
oidcc-refresh-token-rp-key-rotation oidcc-request-uri-unsigned oidcc-request-uri-signed-rs256
oidcc-ensure-request-object-with-redirect-uri oidcc-refresh-token
oidcc-ensure-client-assertion-with-iss-aud-succeeds
""",
    "RP-Initiated Logout": """
oidcc-rp-initiated-logout-discovery-endpoint-verification oidcc-rp-initiated-logout
oidcc-rp-initiated-logout-bad-post-logout-redirect-uri oidcc-rp-initiated-logout-modified-id-token-hint
oidcc-rp-initiated-logout-no-id-token-hint oidcc-rp-initiated-logout-no-params
oidcc-rp-initiated-logout-no-post-logout-redirect-uri oidcc-rp-initiated-logout-no-state
oidcc-rp-initiated-logout-only-state
oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri
oidcc-rp-initiated-logout-bad-id-token-hint
""",
    "Back-Channel RP-Initiated Logout": """
oidcc-backchannel-logout-discovery-endpoint-verification oidcc-backchannel-rp-initiated-logout
""",
    "Front-Channel RP-Initiated Logout": """
oidcc-frontchannel-logout-discovery-endpoint-verification oidcc-frontchannel-rp-initiated-logout
""",
    "Session Management": """
oidcc-session-management-discovery-endpoint-verification oidcc-session-management-rp-initiated-logout
""",
    "Third-Party Initiated Login": """
oidcc-3rd_party-init-login oidcc-3rd_party-init-login-nohttps
""",
}
TITLE = "Conformance: "


def results(path):
    """What became of the tests of each plan: {(plan, module): (test, result)}."""
    suites, tests, failed, ended, skipped = {}, {}, set(), set(), set()
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        payload = record["payload"]
        if record["kind"] == "test":
            title = payload.get("displayName", payload["name"])
            if payload["kind"] == "suite" and title.startswith(TITLE):
                suites[payload["id"]] = title[len(TITLE):].split(" and ")
            elif payload["kind"] == "function":
                tests[payload["id"]] = title
        elif record["kind"] == "event":
            test = payload.get("testID")
            if payload["kind"] == "issueRecorded" and not payload["issue"].get("isKnown", False):
                failed.add(test)
            elif payload["kind"] == "testEnded":
                ended.add(test)
            elif payload["kind"] == "testSkipped":
                skipped.add(test)
    found = {}
    for test, module in tests.items():
        suite = test.split("/")[0]
        name = ".".join(part.split("(")[0] for part in test.split("/")[:2]).split(".", 1)[-1]
        result = (
            "failed" if test in failed
            else "skipped" if test in skipped
            else "passed" if test in ended
            else "did not run"
        )
        for plan in suites.get(suite, []):
            found[plan, module] = (name, result)
    return found


def main():
    found = results(sys.argv[1])
    known = {(plan, module) for plan, modules in PLANS.items() for module in modules.split()}
    unknown = sorted(set(found) - known)
    lines = [
        "# Conformance",
        "",
        "Every module of the OpenID Foundation's plans for providers that this product is made for, as a test of ours with the",
        "module's name, over HTTP against the running server. `deploy/test.sh` writes this file.",
    ]
    # Suites may have tests of ours beside the modules; a name like a module's that is none is a slip.
    bad = [
        f"{plan}: {module} is no module of the plan"
        for plan, module in unknown
        if module.startswith("oidcc-")
    ]
    for plan, modules in PLANS.items():
        lines += ["", f"## {plan}", "", "| module | test | result |", "|---|---|---|"]
        for module in modules.split():
            test, result = found.get((plan, module), ("", "no test"))
            lines.append(f"| {module} | {f'`{test}`' if test else ''} | {result} |")
            if result != "passed":
                bad.append(f"{plan}: {module}: {result}")
    target = pathlib.Path(__file__).resolve().parent.parent / "docs" / "conformance.md"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for line in bad:
        print(line, file=sys.stderr)
    sys.exit(1 if bad else 0)


main()
