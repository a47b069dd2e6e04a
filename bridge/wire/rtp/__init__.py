"""
RTP as values (RFC 3550 and its friends): datagrams and the time in, frames and datagrams out.

A carrier owns the sockets and, for each call, a `receiver.Receiver`, a `sender.Sender` and a
`control.Control`. It hands them what arrives, wakes them at their `deadline`, and writes what
they give.
"""
