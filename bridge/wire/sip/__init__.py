"""
SIP as values (RFC 3261 and its friends): messages and the time go in, actions come out.

A carrier owns an `endpoint.Endpoint` and its sockets, and does three things:

    actions = endpoint.receive(data, source, now)   # a datagram, or a frame of `framing.Framer`
    actions = endpoint.time_is_up(now)              # at `endpoint.deadline`
    actions = endpoint.answer(call, body, now)      # and its other wishes

Of every action that is a `Send` it writes `message.render()` to the place named; all others
are facts about calls, told in the order in which they happened.
"""
