"""SDP (RFC 8866) and offer/answer (RFC 3264): which audio goes where, and in which codec."""
