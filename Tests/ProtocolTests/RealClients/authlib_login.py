"""A complete life of a grant with Authlib, as an application of an organization would use it.

Reads one JSON object from standard input (issuer, client_id, client_secret, redirect_uri, username,
password) and writes what it learned as one JSON object; every check that fails ends it with status 1.
"""

import json
import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url


class Page(HTMLParser):
    """The first form of a page that has the wanted button: its action and what it would send."""

    def __init__(self, html, button):
        super().__init__()
        self.forms, self.button = [], button
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append({"action": attributes.get("action", ""), "values": {}, "buttons": {}})
        elif tag == "input" and self.forms and attributes.get("name"):
            if attributes.get("type") not in ("checkbox", "radio") or "checked" in attributes:
                self.forms[-1]["values"][attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1]["buttons"][attributes.get("id")] = attributes

    def form(self):
        return next((form for form in self.forms if self.button in form["buttons"]), None)


class Person:
    """A browser that follows redirects while they stay on the server."""

    def __init__(self, origin):
        self.origin, self.session = origin, requests.Session()

    def open(self, url):
        return self.follow(self.session.get(url, allow_redirects=False), url)

    def press(self, button, url, reply, **fields):
        form = Page(reply.text, button).form()
        assert form, f"no {button} on {url}: {reply.status_code}"
        values = {**form["values"], **fields}
        pressed = form["buttons"][button]
        if pressed.get("name"):
            values[pressed["name"]] = pressed.get("value", "")
        target = urljoin(url, form["action"])
        reply = self.session.post(
            target, data=values, headers={"Origin": self.origin}, allow_redirects=False
        )
        return self.follow(reply, target)

    def follow(self, reply, url):
        while reply.is_redirect:
            url = urljoin(url, reply.headers["location"])
            if not url.startswith(self.origin):
                return url, None
            reply = self.session.get(url, allow_redirects=False)
        return url, reply


def main():
    given = json.load(sys.stdin)
    issuer = given["issuer"]
    parts = urlsplit(issuer)
    origin = f"{parts.scheme}://{parts.netloc}"

    metadata = OpenIDProviderMetadata(requests.get(get_well_known_url(issuer, True)).json())
    assert metadata["issuer"] == issuer
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())

    client = OAuth2Session(
        given["client_id"],
        given["client_secret"],
        scope="openid profile email offline_access",
        redirect_uri=given["redirect_uri"],
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    )
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    person = Person(origin)
    at, reply = person.open(url)
    at, reply = person.press(
        "submit", at, reply, username=given["username"], password=given["password"]
    )
    if reply is not None:
        at, reply = person.press("accept", at, reply)
    assert at.startswith(given["redirect_uri"]), at
    assert parse_qs(urlsplit(at).query)["iss"] == [issuer]

    token = client.fetch_token(
        metadata["token_endpoint"], authorization_response=at, state=state, code_verifier=verifier
    )
    claims = JsonWebToken(metadata["id_token_signing_alg_values_supported"]).decode(
        token["id_token"],
        keys,
        claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": issuer}},
        claims_params={
            "nonce": nonce,
            "client_id": given["client_id"],
            "access_token": token["access_token"],
        },
    )
    claims.validate(leeway=5)
    userinfo = client.get(metadata["userinfo_endpoint"]).json()
    assert userinfo["sub"] == claims["sub"]

    refreshed = client.refresh_token(metadata["token_endpoint"])
    assert refreshed["refresh_token"] != token["refresh_token"]
    active = client.introspect_token(
        metadata["introspection_endpoint"], token=refreshed["access_token"]
    ).json()
    assert active["active"] is True and active["sub"] == claims["sub"]
    revoked = client.revoke_token(
        metadata["revocation_endpoint"], token=refreshed["refresh_token"]
    )
    assert revoked.status_code == 200
    dead = client.introspect_token(
        metadata["introspection_endpoint"], token=refreshed["access_token"]
    ).json()
    assert dead == {"active": False}
    json.dump({"sub": claims["sub"], "userinfo": userinfo}, sys.stdout)


main()
