"""What must be done before a fee standard may be proposed: kept above this app, whoever keeps it registers
here in `AppConfig.ready`."""

from collections.abc import Callable

from certificates.models import Certificate

# certificate → why no standard of it may be proposed yet; "" when it may
Gate = Callable[[Certificate], str]
_gates: list[Gate] = []


def register(gate: Gate) -> None:
    _gates.append(gate)


def reasons(certificate: Certificate) -> list[str]:
    return [reason for gate in _gates if (reason := gate(certificate))]
