"""
The cases of RFC 4475, each written anew from what the RFC says of it.

Valid ones are understood, invalid ones get the answer that the RFC suggests, and responses
that cannot be read are dropped.
"""

from __future__ import annotations

import pytest

from bridge.wire.sip.actions import Dropped
from bridge.wire.sip.messages import Request, Response
from bridge.wire.sip.reader import Unreadable, read
from tests.wire.sip.scripts import CALLER, endpoint, sent, statuses


def lines(start: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([start, *headers, "", ""]).encode() + body


def usual(method: str, *without: str, cseq: str = "") -> list[str]:
    """The headers that every request needs, but for some."""
    headers = [
        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKkdjuw",
        "Max-Forwards: 70",
        "From: <sip:caller@example.net>;tag=323",
        "To: <sip:callee@example.com>",
        "Call-ID: torture.one@192.0.2.10",
        f"CSeq: {cseq or f'9 {method}'}",
        "Contact: <sip:caller@192.0.2.10>",
    ]
    return [header for header in headers if not header.startswith(without or ("#",))]


def asked(data: bytes) -> list[int]:
    return statuses(endpoint().receive(data, CALLER, 0.0))


def request(data: bytes) -> Request:
    message = read(data)
    assert isinstance(message, Request)
    return message


def test_a_short_tortuous_invite() -> None:
    """3.1.1.1: folds, blanks before colons, compact and mixed names, escaped quotes, no length."""
    data = lines(
        "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0",
        "TO :",
        " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
        'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>',
        "  ;",
        "  tag = 98asjd8",
        "MaX-fOrWaRdS: 0068",
        "Call-ID: wsinv.ndaksdj@192.0.2.1",
        "Content-Length   : 150",
        "cseq: 0009",
        "  INVITE",
        "Via  : SIP  /   2.0",
        " /UDP",
        "    192.0.2.2;branch=390skdjuw",
        "s :",
        "NewFangledHeader:   newfangled value",
        " continued newfangled value",
        "UnknownHeaderWithUnusualValue: ;;,,;;,;",
        "Content-Type: application/sdp",
        "Route:",
        " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
        "v:  SIP  / 2.0  / TCP     spindle.example.com   ;",
        "  branch  =   z9hG4bK9ikj8  ,",
        " SIP  /    2.0   / UDP  192.168.255.111   ; branch=",
        " z9hG4bK30239",
        'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =',
        "      newvalue ;",
        "  secondparam ; q = 0.33",
        body=b"v" * 150,
    )

    message = request(data)

    assert message.recipient.tag == "1918181833n"
    assert message.sender.display == 'J Rosenberg \\"'
    assert message.sender.tag == "98asjd8"
    assert message.cseq.number == 9
    assert [message.via.host, message.via.branch] == ["192.0.2.2", "390skdjuw"]
    assert len(message.listed("Via")) == 3
    assert message.contact is not None
    assert message.contact.parameter("q") == "0.33"
    assert len(message.body) == 150


def test_a_wide_range_of_characters() -> None:
    """3.1.1.2: a method of punctuation, a display name with control characters."""
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    headers = usual(method, "To", "From")
    to = '"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/crazy?,/;;*'
    headers += [
        f"To: {to}:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com>",
        "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;tag=_token~1'+`*%!-.",
        "extensionHeader-!.%*+_`'~: \ufeff\u5927\u505c\u96fb",
    ]

    message = request(lines(f"{method} sip:example.com SIP/2.0", *headers))

    assert message.method == method
    assert message.recipient.uri.host == "example.com"
    assert message.sender.tag == "_token~1'+`*%!-."
    assert read(message.render()) == message


def test_escaped_characters_are_left_alone() -> None:
    """3.1.1.3 to 3.1.1.5: %40 in a user, %00, and a method that only looks like REGISTER."""
    uri = "sip:sips%3Auser%40example.com@example.net"
    escaped = request(lines(f"INVITE {uri} SIP/2.0", *usual("INVITE")))
    null = request(lines("REGISTER sip:null-%00-null@example.com SIP/2.0", *usual("REGISTER")))
    method = "RE%47IST%45R"

    assert escaped.uri == uri
    assert null.uri == "sip:null-%00-null@example.com"
    assert asked(lines(f"{method} sip:example.com SIP/2.0", *usual(method))) == [405]


def test_no_blank_before_the_bracket() -> None:
    """3.1.1.6."""
    headers = [*usual("OPTIONS", "From"), "From: caller<sip:caller@example.com>;tag=323"]

    message = request(lines("OPTIONS sip:user@example.com SIP/2.0", *headers))

    assert (message.sender.display, message.sender.uri.user) == ("caller", "caller")


def test_long_values() -> None:
    """3.1.1.7."""
    long = "a" * 800
    headers = usual("INVITE", "Call-ID", "Via")
    headers += [f"Call-ID: {long}", f"Via: SIP/2.0/UDP host.{'x' * 200}.com;branch=z9hG4bK{long}"]
    headers += [f"Via: SIP/2.0/UDP h{n}.example.com;branch=z9hG4bK{n}" for n in range(34)]

    message = request(lines(f"INVITE sip:{long}@example.com SIP/2.0", *headers))

    assert message.call_id == long
    assert len(message.listed("Via")) == 35


def test_what_follows_a_datagrams_message_is_ignored() -> None:
    """3.1.1.8: extra octets, here a second message."""
    first = lines("OPTIONS sip:a@example.com SIP/2.0", *usual("OPTIONS"), "Content-Length: 0")

    assert read(first + b"INVITE sip:b@example.com SIP/2.0\r\n\r\n") == read(first)


def test_semicolons_in_a_user() -> None:
    """3.1.1.9: they are the user's, and no parameters."""
    uri = "sip:user;par=u%40example.net@example.com"

    message = request(lines(f"OPTIONS {uri} SIP/2.0", *usual("OPTIONS")))

    assert message.uri == uri
    assert asked(message.render()) == [200]


def test_transports_that_we_never_heard_of() -> None:
    """3.1.1.10."""
    ways = [f"Via: SIP/2.0/{way} t{n}.example.com;branch=z9hG4bK{n}" for n, way in enumerate(WAYS)]
    message = request(lines("OPTIONS sip:a@b.com SIP/2.0", *usual("OPTIONS", "Via"), *ways))

    assert message.via.transport == "UDP"
    assert asked(message.render()) == [200]


WAYS = ("UDP", "SCTP", "TLS", "UNKNOWN", "TCP")


def test_reason_phrases_of_all_kinds() -> None:
    """3.1.1.12 and 3.1.1.13: letters of other scripts, or none at all."""
    unusual = read(lines("SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e", *usual("INVITE")))
    without = read(lines("SIP/2.0 100 ", *usual("INVITE")))

    assert isinstance(unusual, Response)
    assert unusual.reason == "= 2**3 * 5**2 \u043d\u043e"
    assert isinstance(without, Response)
    assert without.reason == ""


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("3.1.2.1", ["Via: SIP/2.0/UDP 192.0.2.15;;,;,,"]),
        ("3.1.2.1", ['Contact: "Joe" <sip:joe@example.org>;;;;,,;']),
        ("3.1.2.2", ["Content-Length: 9999"]),
        ("3.1.2.3", ["Content-Length: -999"]),
        ("3.1.2.4", ["CSeq: 36893488147419103232 OPTIONS"]),
        ("3.1.2.4", ["Max-Forwards: 300"]),
        ("3.1.2.6", ['To: "Mr. J. User <sip:j.user@example.com>']),
        ("3.1.2.13", ["Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E"]),
        ("3.1.2.14", ['To: "Watson, Thomas" < sip:t.watson@example.org >']),
        ("3.1.2.17", ["CSeq: 8 INVITE"]),
        ("3.3.8", ["CSeq: 9 OPTIONS", "CSeq: 5 OPTIONS"]),
        ("3.3.8", ["To: <sip:a@example.com>", "To: <sip:b@example.com>"]),
        ("3.3.8", ["Call-ID: one", "Call-ID: two"]),
        ("3.3.9", ["Content-Length: 13", "Content-Length: 5"]),
    ],
)
def test_broken_headers_are_400(name: str, broken: list[str]) -> None:
    """Separators without elements, lengths, overflows, open quotes, methods that disagree."""
    field = broken[0].partition(":")[0]
    headers = [*broken, *usual("OPTIONS", field)]
    if field == "Via":
        headers = [*usual("OPTIONS", "Contact"), *broken]

    answers = sent(endpoint().receive(lines("OPTIONS sip:a@b.com SIP/2.0", *headers), CALLER, 0.0))

    assert [one.status for one in answers if isinstance(one, Response)] == [400], name


@pytest.mark.parametrize(
    "start",
    [
        "OPTIONS <sip:user@example.com> SIP/2.0",
        "OPTIONS sip:user@example.com; lr SIP/2.0",
        "OPTIONS  sip:user@example.com  SIP/2.0",
        "OPTIONS sip:user@example.com SIP/2.0  ",
    ],
)
def test_broken_request_lines_are_400(start: str) -> None:
    """3.1.2.7 to 3.1.2.10: brackets and blanks."""
    assert asked(lines(start, *usual("OPTIONS"))) == [400]


def test_headers_in_a_request_uri_do_nothing() -> None:
    """3.1.2.11: they may be ignored."""
    uri = "sip:user@example.com?Route=%3Csip:example.com%3E"

    assert asked(lines(f"OPTIONS {uri} SIP/2.0", *usual("OPTIONS"))) == [200]


def test_an_odd_date_does_no_harm() -> None:
    """3.1.2.12: we look at no dates."""
    date = "Date: Fri, 01 Jan 2010 16:00:00 EST"

    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *usual("OPTIONS"), date)) == [200]


def test_a_display_name_that_wants_quotes() -> None:
    """3.1.2.15: it is clear what was meant."""
    headers = [*usual("OPTIONS", "From"), "From: Bell, Alexander <sip:a.g.bell@b.com>;tag=43"]

    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *headers)) == [200]


def test_another_version_is_505() -> None:
    """3.1.2.16."""
    assert asked(lines("OPTIONS sip:a@b.com SIP/7.0", *usual("OPTIONS"))) == [505]


def test_an_unknown_method_that_disagrees_with_its_cseq() -> None:
    """3.1.2.18."""
    headers = usual("NEWMETHOD", cseq="8 INVITE")

    assert asked(lines("NEWMETHOD sip:a@b.com SIP/2.0", *headers)) == [400]


@pytest.mark.parametrize("start", ["SIP/2.0 4294967301 better not", "SIP/2.0 99 low", "SIP/2.0"])
def test_codes_out_of_range_are_dropped(start: str) -> None:
    """3.1.2.19: nobody answers a response."""
    data = lines(start, *usual("INVITE"))

    assert endpoint().receive(data, CALLER, 0.0) == [Dropped("start_line")]


def test_a_response_with_numbers_that_are_too_large_is_dropped() -> None:
    """3.1.2.5."""
    data = lines(
        "SIP/2.0 503 Service Unavailable", *usual("INVITE", cseq="9292394834772304023312 X")
    )

    assert endpoint().receive(data, CALLER, 0.0) == [Dropped("cseq")]


def test_a_branch_that_is_the_cookie_alone() -> None:
    """3.2.1: the transaction is found as if there was no branch."""
    bare = [one.replace("z9hG4bKkdjuw", "z9hG4bK") for one in usual("OPTIONS")]
    other = [one.replace("torture.one", "torture.two") for one in bare]
    bridge = endpoint()

    first = bridge.receive(lines("OPTIONS sip:a@b.com SIP/2.0", *bare), CALLER, 0.0)
    second = bridge.receive(lines("OPTIONS sip:a@b.com SIP/2.0", *other), CALLER, 0.0)

    assert statuses(first) == statuses(second) == [200]
    assert [one.call_id for one in sent(second)] == ["torture.two@192.0.2.10"]


@pytest.mark.parametrize("missing", ["Call-ID", "From", "To"])
def test_a_header_that_is_missing_is_400(missing: str) -> None:
    """3.3.1."""
    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *usual("OPTIONS", missing))) == [400]


@pytest.mark.parametrize(
    "uri", ["nobodyKnowsThisScheme:totallyopaquecontent", "soap.beep://192.0.2.103:3002"]
)
def test_schemes_that_we_do_not_know_are_416(uri: str) -> None:
    """3.3.2 and 3.3.3."""
    assert asked(lines(f"OPTIONS {uri} SIP/2.0", *usual("OPTIONS"))) == [416]


def test_unknown_schemes_in_to_and_from() -> None:
    """3.3.4: they are names like others."""
    headers = [*usual("OPTIONS", "To", "From"), "To: <isbn:2983792873>"]
    headers.append("From: <http://www.example.com>;tag=3234233")

    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *headers)) == [200]


def test_extensions_that_are_required_are_420() -> None:
    """3.3.5: what we do not know is named; Proxy-Require is for proxies."""
    extensions = ["Require: nothingSupportsThis, timer", "Proxy-Require: noProxiesSupportThis"]
    data = lines("OPTIONS sip:a@b.com SIP/2.0", *usual("OPTIONS"), *extensions)

    (refusal,) = sent(endpoint().receive(data, CALLER, 0.0))

    assert isinstance(refusal, Response)
    assert refusal.status == 420
    assert refusal.first("Unsupported") == "nothingsupportsthis"


def test_reliable_provisional_answers_are_not_ours_to_give() -> None:
    """An INVITE that requires 100rel (RFC 3262)."""
    data = lines("INVITE sip:a@b.com SIP/2.0", *usual("INVITE"), "Require: 100rel")

    assert asked(data) == [420]


def test_an_unknown_body_is_415() -> None:
    """3.3.6."""
    headers = [*usual("INVITE"), "Content-Type: application/unknownformat"]
    data = lines("INVITE sip:a@b.com SIP/2.0", *headers, body=b"<audio/>")

    (refusal,) = sent(endpoint().receive(data, CALLER, 0.0))

    assert isinstance(refusal, Response)
    assert refusal.status == 415
    assert "application/sdp" in (refusal.first("Accept") or "")


def test_unknown_authorization_is_nothing() -> None:
    """3.3.7."""
    scheme = "Authorization: NoOneKnowsThisScheme opaque-data=here"

    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *usual("OPTIONS"), scheme)) == [200]


def test_a_200_for_somebody_else_is_dropped() -> None:
    """3.3.10: its topmost Via is not ours."""
    data = lines("SIP/2.0 200 OK", *usual("INVITE"))

    assert endpoint().receive(data, CALLER, 0.0) == [Dropped("stray_response")]


def test_no_hops_left_is_enough_for_us() -> None:
    """3.3.11: we are where the request was going."""
    headers = [*usual("OPTIONS", "Max-Forwards"), "Max-Forwards: 0"]

    assert asked(lines("OPTIONS sip:a@b.com SIP/2.0", *headers)) == [200]


def test_an_invite_of_an_older_time() -> None:
    """3.4.1: RFC 2543 knew neither branches, nor tags that everybody must have."""
    headers = ["Via: SIP/2.0/UDP iftgw.example.com", "From: <sip:caller@example.net>"]
    headers += ["To: <sip:callee@example.net>", "Call-ID: inv2543.1717@ift.client.example.com"]
    headers += ["CSeq: 56 INVITE", "Contact: <sip:caller@192.0.2.10>"]
    data = lines("INVITE sip:UserB@example.com SIP/2.0", *headers)
    bridge = endpoint()

    first = bridge.receive(data, CALLER, 0.0)
    copy = bridge.receive(data, CALLER, 0.5)

    assert statuses(first) == statuses(copy) == [100]
    assert len(bridge.calls) == 1


@pytest.mark.parametrize("character", ["\r", "\n", "\x00\n"])
def test_no_line_is_smuggled_into_an_answer(character: str) -> None:
    """A lone CR or LF would become a header of its own in what we repeat."""
    headers = [*usual("OPTIONS", "Call-ID"), f"Call-ID: x{character}Evil: yes"]
    data = lines("OPTIONS sip:a@b.com SIP/2.0", *headers)

    with pytest.raises(Unreadable):
        read(data)
    assert all(b"Evil" not in one.render() for one in sent(endpoint().receive(data, CALLER, 0.0)))
