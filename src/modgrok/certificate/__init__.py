"""What is proved of a network's answers, in arithmetic whose rounding is bounded."""

from modgrok.certificate.certificate_file import (
    CERTIFICATE,
    certificate_of,
    proved_sentences,
    write_certificate,
)
from modgrok.certificate.explained import ExplainedMargin, explained_margin
from modgrok.certificate.proof import Certificate, Proof, prove

__all__ = [
    "CERTIFICATE",
    "Certificate",
    "ExplainedMargin",
    "Proof",
    "certificate_of",
    "explained_margin",
    "prove",
    "proved_sentences",
    "write_certificate",
]
